"""What the body of a header field says: a text, or a value with parameters."""

from __future__ import annotations

import binascii
import re
from collections import defaultdict
from collections.abc import Iterator
from email.policy import Compat32
from itertools import groupby
from operator import itemgetter
from urllib.parse import unquote

from sim.mail import encoding

# =?charset*language?encoding?text?=, the language being RFC 2231's. Senders leave question marks in the text as they
# are, so it ends at "?=" alone; it has no beginning of another word in it.
_ENCODED_WORD = re.compile(
    rb"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BbQq])\?((?:[^?=]|\?(?!=)|=(?!\?[^=]))*)\?=",
)
_LINE_BREAK = re.compile(r"[\r\n]+")

_QUOTED = r'"(?:[^"\\]|\\.)*"?'
_TOKENS = re.compile(rf'{_QUOTED}|(?<!\S)\([^()]*\)|[^";(]+|.', re.DOTALL)
_WITH_PARAMETERS = {"content-type", "content-disposition"}
_SPECIAL, _ESCAPED = re.compile(r'["\\]'), r"\\\g<0>"
_SECTION = re.compile("[0-9]{1,4}")
_FIRST_WORD = re.compile(r"[\w-]+")


class AsSent(Compat32):
    """Fields unfolded and otherwise as they came, but for those that say how the mail is built.

    Python's parser raises errors on parameters that contradict each other, and misses a word that has something
    behind it, so it is handed a plain form of them.
    """

    def header_fetch_parse(self, name: str, value: str) -> str:
        unfolded = value.replace("\r", "").replace("\n", "").strip()
        match name.lower():
            case field if field in _WITH_PARAMETERS:
                return _plain(unfolded)
            case "content-transfer-encoding":
                word = _FIRST_WORD.search(unfolded)
                return word[0].lower() if word else ""
            case _:
                return unfolded


def text(field: bytes, charset: str | None = None) -> str:
    """An unfolded field body as one line of text, encoded words decoded, the white space around it removed.

    Encoded words of one charset that stand next to each other are decoded together, because senders cut characters
    in half between them. Bytes beyond ASCII are UTF-8, or in `charset`, or windows-1252. A line break that was encoded
    is a space. https://www.rfc-editor.org/rfc/rfc2047 https://www.rfc-editor.org/rfc/rfc6532
    """
    runs = groupby(_pieces(field), key=itemgetter(0))
    decoded = "".join(encoding.text(b"".join(data for _, data in run), label, charset) for label, run in runs)
    return _LINE_BREAK.sub(" ", decoded).strip()


def value_and_parameters(field: str) -> tuple[str, dict[str, str]]:
    """The first word of a field body and its parameters, each name in lower case, quotes and comments removed.

    Where a parameter is there several times, the first counts; what comes in sections is joined.
    https://www.rfc-editor.org/rfc/rfc2045#section-5.1 https://www.rfc-editor.org/rfc/rfc2231
    """
    first, *pieces = _between_semicolons(field)
    value, *glued = first.replace(",", " ").split(None, 1) or [""]
    found: dict[str, str] = {}
    sections: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for piece in (*glued, *pieces):
        name, equals, written = piece.partition("=")
        name, star, section = name.strip().lower().partition("*")
        if not equals:
            continue
        if star:
            sections[name].setdefault(section, _unquoted(written))
        else:
            found.setdefault(name, _unquoted(written))
    joined = {name: _joined(of_name) for name, of_name in sections.items()}
    return value, joined | found


def _plain(field: str) -> str:
    value, parameters = value_and_parameters(field)
    return value + "".join(f'; {name}="{_SPECIAL.sub(_ESCAPED, text)}"' for name, text in parameters.items())


def _between_semicolons(field: str) -> list[str]:
    pieces = [""]
    for piece in _TOKENS.findall(field):
        if piece == ";":
            pieces.append("")
        else:
            pieces[-1] += " " if piece[0] == "(" and piece[-1] == ")" else piece
    return pieces


def _unquoted(written: str) -> str:
    written = written.strip()
    if written.startswith('"'):
        inside = re.match(_QUOTED, written, re.DOTALL)
        return re.sub(r"\\(.)", r"\1", (inside[0] if inside else written).strip('"'))
    return written.partition(" ")[0]


def _joined(sections: dict[str, str]) -> str:
    """A parameter from its sections by their numbers. What ends in "*", or has no number, is percent-encoded."""
    return "".join(
        value if section[-1:].isdecimal() else unquote(value.rpartition("'")[2], "latin-1")
        for section, value in sorted(sections.items(), key=lambda item: _number(item[0]))
    )


def _number(section: str) -> int:
    digits = _SECTION.match(section)
    return int(digits[0]) if digits else 0


def _pieces(field: bytes) -> Iterator[tuple[str | None, bytes]]:
    """The field's encoded words as charset and bytes, and with None what is between them unless it is white space."""
    end = 0
    for word in _ENCODED_WORD.finditer(field):
        between = field[end : word.start()]
        if between.strip():
            yield None, between
        charset, letter, data = word.groups()
        decoded = encoding.base64_bytes(data) if letter in b"Bb" else binascii.a2b_qp(data, header=True)
        yield charset.decode("latin-1").lower(), decoded
        end = word.end()
    yield None, field[end:]
