"""The mails of an mbox, in the forms in which mail programs write one, and of an MMDF mailbox.

Each mail begins with a separator line: "From ", an address, and a date as C's asctime writes it. Many programs leave
out the address or the date, or write another date; many do not escape a line of a text that begins with "From ". So
a line with a date in the right place is a separator line; one with less is, if an empty line is before it and a field
of a mail behind it. Some programs write into Content-Length how long the text is instead of escaping it.

https://www.rfc-editor.org/rfc/rfc4155#appendix-A
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import SEEK_END, BytesIO
from itertools import groupby
from typing import IO

from sim.mail import dates

_LONGEST_LINE = 1000  # bytes of a separator line, so that a file of one long line is not read to see that it has none
_FROM = b"From "
_ESCAPED = re.compile(rb">+From ")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_LENGTH = re.compile(rb"content-length[ \t]*:\s*(\d{1,18})\s*$", re.IGNORECASE)
_MARK = b"\xef\xbb\xbf"
_OF_MMDF = b"\x01\x01\x01\x01"

# What `git format-patch` writes in place of an address and a date.
_PATCH = re.compile(rb"From (?:[0-9a-f]{40}|[0-9a-f]{64}) Mon Sep 17 00:00:00 2001\s*$")
_HOST = re.compile(r" remote from \S+$")


def is_mbox(file: IO[bytes]) -> bool:
    """Whether the file begins with a separator line. The file has to be seekable; it is at its start afterwards."""
    file.seek(0)
    first, second = file.readline(_LONGEST_LINE), file.readline(_LONGEST_LINE)
    file.seek(0)
    return _is_separator(first.removeprefix(_MARK), after_empty=True, before_field=bool(_FIELD.match(second)))


def mails_of_mbox(file: IO[bytes]) -> Iterator[bytes]:
    """The mails of an mbox, each with its separator line and without the empty line that ends it.

    One ">" is taken from lines that begin with ">From ", ">>From " and so on, as the mboxrd format has it. That is
    right for mboxo too but for a ">From " that its author wrote. The file has to be seekable. A byte order mark at its
    start is put before each mail, because it says in what the file was saved.
    """
    file.seek(0)
    mark = file.read(len(_MARK))
    if mark != _MARK:
        mark = b""
        file.seek(0)
    of_git = in_head = False
    mail: list[bytes] = []
    while line := file.readline():
        if not mail:
            of_git = _PATCH.match(line) is not None
            in_head = True
        elif _separates(line, mail[-1], file, of_git=of_git):
            yield mark + _joined(mail)
            mail = []
            in_head = True
        mail.append(_unescaped(line))
        if in_head and not line.strip():
            in_head = False
            mail += _measured_text(mail, file)
    if mail:
        yield mark + _joined(mail)


def is_mmdf(file: IO[bytes]) -> bool:
    """As `is_mbox`, of MMDF's separator line."""
    file.seek(0)
    first = file.readline(_LONGEST_LINE)
    file.seek(0)
    return first.rstrip() == _OF_MMDF


def mails_of_mmdf(file: IO[bytes]) -> Iterator[bytes]:
    """The mails of an MMDF mailbox: a line of four Control-A is before each and behind each, and nothing is escaped."""
    for is_separator, lines in groupby(file, key=lambda line: line.rstrip() == _OF_MMDF):
        mail = b"".join(lines)
        if not is_separator and mail.strip():
            yield mail


def date_of(separator: bytes) -> int | None:
    """The moment that a separator line names, in Unix seconds, or None."""
    words = _words(separator)
    moments = (dates.unix_seconds(" ".join(words[start:])) for start in range(min(len(words), 12)))
    return next((moment for moment in moments if moment is not None), None)


def _separates(line: bytes, before: bytes, file: IO[bytes], *, of_git: bool) -> bool:
    if not line.startswith(_FROM) or (_PATCH.match(line) and not of_git):
        return False
    position = file.tell()
    before_field = bool(_FIELD.match(file.readline(_LONGEST_LINE)))
    file.seek(position)
    return _is_separator(line, after_empty=not before.strip(), before_field=before_field)


def _is_separator(line: bytes, *, after_empty: bool, before_field: bool) -> bool:
    if not line.startswith(_FROM) or len(line) >= _LONGEST_LINE:
        return False
    words = _words(line)
    if any(dates.unix_seconds(" ".join(words[start:])) is not None for start in (0, 1)):
        return True
    return after_empty and before_field and (len(words) <= 1 or date_of(line) is not None)


def _words(separator: bytes) -> list[str]:
    """What follows "From " in a separator line, without the host that UUCP adds."""
    return _HOST.sub("", separator.decode("latin-1").rstrip()).split()[1:]


def _measured_text(head: list[bytes], file: IO[bytes]) -> list[bytes]:
    """The lines of the text behind a head with a right Content-Length; otherwise none, and nothing is read.

    It is right if it ends where the file or the mail ends. A program that writes it may escape nothing, so nothing is
    taken from the lines of a text that has a "From " in it.
    """
    length = next((int(found[1]) for line in head if (found := _LENGTH.match(line))), None)
    if length is None:
        return []
    start = file.tell()
    size = file.seek(0, SEEK_END)
    is_right = start + length == size or (start + length < size and _is_end(file, start + length))
    file.seek(start)
    if not is_right:
        return []
    lines = BytesIO(file.read(length)).readlines()
    return lines if any(line.startswith(_FROM) for line in lines) else [_unescaped(line) for line in lines]


def _is_end(file: IO[bytes], end: int) -> bool:
    """Whether only empty lines are between a place and the next separator line, or the end of the file."""
    file.seek(max(end - 1, 0))
    if file.read(1) != b"\n":
        return False
    while (line := file.readline(_LONGEST_LINE)) and not line.strip():
        pass
    before_field = bool(_FIELD.match(file.readline(_LONGEST_LINE)))
    return not line or _is_separator(line, after_empty=True, before_field=before_field)


def _unescaped(line: bytes) -> bytes:
    return line[1:] if _ESCAPED.match(line) else line


def _joined(mail: list[bytes]) -> bytes:
    return b"".join(mail[:-1] if not mail[-1].strip() else mail)
