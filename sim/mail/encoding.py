"""Bytes as a mail declares them, made text. Real mail lies about its bytes, so nearly nothing in here fails."""

from __future__ import annotations

import base64
import codecs
import re
from contextlib import suppress

import webencodings

from sim.errors import SimError

# Python's codecs of these names know fewer characters than senders write.
# https://encoding.spec.whatwg.org/#gbk-decoder https://www.rfc-editor.org/rfc/rfc1468
_LARGER = {"gbk": "gb18030", "iso-2022-jp": "iso2022_jp_ext"}

# The first word of what a charset parameter holds: senders put quotes around it and comments behind it.
_LABEL = re.compile(r"[^\s'\"();,<>]+")
_CODE_PAGE = re.compile(r"(?:x-)?(?:cp|dos|ibm|ms|win|windows)[-_]?0*(\d{3,5})", re.IGNORECASE)
_MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, which it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
_DIGIT = rb"[A-Za-z0-9+/]"
_NEXT_BASE64 = re.compile(
    rb"=+\s*((?:%b{4}\s*)*(?:%b{2}(?===)|%b{3}(?==))|(?:%b{4}\s*){4,}\Z)" % (_DIGIT, _DIGIT, _DIGIT, _DIGIT)
)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")

# A guess with one of these has lost characters: ISO 2022's shifts, which no decoder has taken, and U+FFFD.
_LOST = re.compile("[\x0e\x0f\x1b\ufffd]")

_JIS = range(0x21, 0x7F)
_JIS_CODECS = {"euc_jp", "iso2022_jp_ext"}


class UnknownCharset(SimError):
    """Bytes in a charset that nothing here decodes, and of which a guess would lose characters."""


def text(data: bytes, charset: str | None = None, otherwise: str | None = None) -> str:
    """The text that `data` is in `charset`, U+FFFD for what is no character of it.

    Charsets are known by WHATWG's labels, then by Python's names. A byte order mark goes before any charset. Without a
    charset, with one that nobody knows, and with US-ASCII (which says nothing about bytes beyond it), the text is
    ISO-2022-JP if the bytes have its escapes, UTF-8 if they are UTF-8, then in the charset `otherwise`, then in
    windows-1252. Raises UnknownCharset if nobody knows the charset and that guess would lose characters, as with
    ISO-2022-CN. https://encoding.spec.whatwg.org/#names-and-labels
    """
    decoded = _declared(data, charset or "")
    if decoded is not None:
        return decoded
    guess = _undeclared(data)
    for label in (otherwise or "", "windows-1252"):
        guess = _declared(data, label) if guess is None else guess
    if guess is None:
        raise AssertionError("windows-1252 decodes everything")
    if _names_another(charset or "") and _LOST.search(guess):
        raise UnknownCharset
    return guess


def base64_bytes(data: bytes) -> bytes:
    """The bytes in base64 `data`, up to its padding; strays are skipped and a cut last character is left out.

    Some senders pad each line, or each of several pieces: pieces that are base64 for certain are joined, what else is
    behind the padding is left out. https://www.rfc-editor.org/rfc/rfc2045#section-6.8
    """
    digits, padding, _ = data.partition(b"=")
    pieces = [_NOT_BASE64.sub(b"", digits)]
    end = len(digits)
    while padding and (piece := _NEXT_BASE64.match(data, end)) is not None:
        pieces.append(_NOT_BASE64.sub(b"", piece[1]))
        end = piece.end(1)
    return b"".join(_quanta(piece) for piece in pieces)


def _quanta(digits: bytes) -> bytes:
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))


def after_mark(data: bytes) -> tuple[str, bytes] | None:
    """The encoding whose byte order mark the bytes begin with, and the bytes behind the mark. None without a mark."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return codec, data[len(mark) :]
    return None


def _declared(data: bytes, charset: str) -> str | None:
    if (marked := after_mark(data)) is not None:
        return marked[1].decode(marked[0], "replace")
    codec = _codec(charset)
    if codec is None or codec == "ascii":
        return None
    errors = "replace_with_vendor_character" if codec in _JIS_CODECS else "replace"
    with suppress(LookupError, ValueError):  # a codec of Python's that makes no text, such as "hex" and "idna"
        return data.decode(codec, errors)
    return None


def _names_another(charset: str) -> bool:
    """Whether it is the name of a charset, and not of US-ASCII."""
    return _LABEL.search(charset) is not None and _codec(charset) != "ascii"


def _undeclared(data: bytes) -> str | None:
    """What bytes are beyond doubt, or None."""
    for codec in ("iso2022_jp_ext", "utf-8-sig") if b"\x1b$" in data else ("utf-8-sig",):
        with suppress(UnicodeDecodeError):
            return data.decode(codec)
    return None


def _codec(charset: str) -> str | None:
    """The name of Python's codec for a charset, or None if nobody knows the charset."""
    label = _LABEL.search(charset)
    if label is None:
        return None
    code_page = _CODE_PAGE.fullmatch(label[0])
    for name in (label[0], f"cp{code_page[1]}") if code_page else (label[0],):
        encoding = webencodings.lookup(name)
        with suppress(LookupError, ValueError):
            own = codecs.lookup(name).name
            # "replacement" stands for charsets that are dangerous in a browser. Python decodes most of them.
            if own == "ascii" or encoding is None or encoding.name == "replacement":
                return own
        if encoding is not None:
            return _LARGER.get(encoding.name, encoding.codec_info.name)
    return None


def _vendor_character(error: UnicodeError) -> tuple[str, int]:
    """A pair of bytes that JIS X 0208 has no character for, by Microsoft's table, which has NEC's and IBM's.

    https://encoding.spec.whatwg.org/#index-jis0208
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    high = 0x80 if error.encoding == "euc_jp" else 0
    pair = [byte ^ high for byte in error.object[error.start : error.start + 2]]
    if len(pair) == 2 and all(byte in _JIS for byte in pair):  # noqa: PLR2004
        row, cell = pair
        first = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)  # noqa: PLR2004
        second = cell + ((0x1F if cell < 0x60 else 0x20) if row % 2 else 0x7E)  # noqa: PLR2004
        with suppress(UnicodeDecodeError):
            return bytes([first, second]).decode("cp932"), error.start + 2
    return "\ufffd", error.end


codecs.register_error("replace_with_vendor_character", _vendor_character)
