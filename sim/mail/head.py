"""The head of a mail as a file has it, made one that Python's parser reads to its end.

To Python's parser the first line that is no field ends the head, so that one odd line makes the sender, the date and
the subject a part of the text. Mail programs pass over such lines, and so does this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.mail import encoding

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_SEPARATOR = re.compile(rb">?(?=From )")

# The fields of RFC 5322, 3.6 that a mail has once. A second one is the beginning of a text that quotes a mail.
_ONCE = {b"from", b"date", b"subject", b"sender", b"to", b"cc", b"reply-to", b"message-id"}
_ONCE |= {b"mime-version", b"content-type", b"content-transfer-encoding"}
_KNOWN = _ONCE | {b"bcc", b"received", b"return-path", b"delivered-to", b"in-reply-to", b"references", b"status"}
_FAMILIES = (b"x-", b"content-", b"list-", b"resent-", b"arc-", b"dkim-", b"authentication-", b"received-")
_OF_THE_SENDER = {b"from", b"date", b"subject"}

_LOOKAHEAD = 5  # lines


def in_bytes(raw: bytes) -> tuple[bytes, bool]:
    """The mail in UTF-8 if a text editor has saved its file, and whether one has.

    An editor leaves a byte order mark, or writes UTF-16, in which every other byte of a field's name is zero.
    """
    marked = encoding.after_mark(raw)
    if marked is None and raw[1:4:2] == b"\0\0":
        marked = "utf-16-le", raw
    if marked is None and raw[0:3:2] == b"\0\0":
        marked = "utf-16-be", raw
    if marked is None:
        return raw, False
    codec, data = marked
    return (data if codec == "utf-8" else data.decode(codec, "replace").encode()), True


def mended(raw: bytes) -> bytes:
    """The mail with a head of fields alone, an empty line, and its text as it was.

    Left out are lines of the head that are no field, if a known field follows within a few lines which the head does
    not have yet: so a text that begins at once, without an empty line, is not lost. An mbox's separator line may be
    first, also if it was escaped. White space before a colon is left out.
    """
    head: list[bytes] = []
    seen: set[bytes] = set()
    end = 0
    for start, line in _lines(raw, 0):
        name = _name(line)
        is_first = not head and bool(_SEPARATOR.match(line))
        if name or is_first or (seen and line[:1] in b" \t" and line.strip()):
            head.append(_written(line, name))
        elif not _goes_on(raw, start + len(line), seen, after_empty=not line.strip()):
            return b"".join(head) + (raw[start:] if not line.strip() else b"\n" + raw[start:])
        seen |= {name} - {b""}
        end = start + len(line)
    return b"".join(head) + raw[end:]


def _lines(raw: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    return ((line.start(), line[0]) for line in _LINE.finditer(raw, start))


def _name(line: bytes) -> bytes:
    """The name of the field that a line begins, in lower case; empty if it begins none."""
    field = _FIELD.match(line)
    return field[1].lower() if field else b""


def _written(line: bytes, name: bytes) -> bytes:
    if name:
        return line[: len(name)] + b":" + line.partition(b":")[2]
    return line[1:] if line.startswith(b">") else line


def _goes_on(raw: bytes, start: int, seen: set[bytes], *, after_empty: bool) -> bool:
    """Whether the head has more fields after an odd line; after an empty one, only if the sender's are to come."""
    for _, (_, line) in zip(range(_LOOKAHEAD), _lines(raw, start), strict=False):
        after_empty |= not line.strip()
        if after_empty and seen & _OF_THE_SENDER:
            return False
        if name := _name(line):
            known = name in _KNOWN or name.startswith(_FAMILIES)
            return known and name not in seen & _ONCE
    return False
