"""What the body of a header field says: a text, or a moment."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_tz
from itertools import groupby
from operator import itemgetter

from sim.mail import encoding

# =?charset*language?encoding?text?=, the language being RFC 2231's.
_ENCODED_WORD = re.compile(rb"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?]*)\?=")
_COMMENT = re.compile(r"\([^()]*\)")
_LINE_BREAK = re.compile(r"[\r\n]+")


def text(field: bytes) -> str:
    """An unfolded field body as one line of text, encoded words decoded, the white space around it removed.

    Encoded words of one charset that stand next to each other are decoded together, because senders cut characters
    in half between them. Bytes beyond ASCII are UTF-8 or windows-1252. A line break that was encoded is a space.
    https://www.rfc-editor.org/rfc/rfc2047 https://www.rfc-editor.org/rfc/rfc6532
    """
    runs = groupby(_pieces(field), key=itemgetter(0))
    decoded = "".join(encoding.text(b"".join(data for _, data in run), charset) for charset, run in runs)
    return _LINE_BREAK.sub(" ", decoded).strip()


def unix_seconds(field: str) -> int | None:
    """The moment that a date-time names, in Unix seconds, or None if it names none. An unknown zone is UTC.

    https://www.rfc-editor.org/rfc/rfc5322#section-3.3, the obsolete forms of section 4.3 and the date of an mbox's
    separator line too.
    """
    parts = _COMMENT.sub(" ", field).split(":")
    try:
        date = parsedate_tz(":".join(part.strip() for part in parts))
        if date is None:
            return None
        year, month, day, hour, minute, second = date[:6]
        leap_second = second == 60  # noqa: PLR2004
        moment = datetime(year, month, day, hour, minute, second - leap_second, tzinfo=UTC)
    except (ValueError, OverflowError):  # no such day, no such hour, or a number too large to be either
        return None
    return int(moment.timestamp()) + leap_second - (date[9] or 0)


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
