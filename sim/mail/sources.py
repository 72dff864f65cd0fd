"""The files in which mail programs keep mails: single mails, mboxes, Maildirs, and folders of these."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.pipeline.message import Email
from sim.mail.parse import UnreadableMail, parse

# "From address Fri Nov 21 15:55:06 1997", or without both as Thunderbird writes it. The date is asked for because not
# every program that writes an mbox escapes the "From " at the beginning of a sentence.
_SEPARATOR = re.compile(rb"From (?:.*[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d|-?\s*$)")
_LONGEST_SEPARATOR = 1000  # bytes, so that a large file of one line is not read to see that it is no mbox
_ESCAPED = re.compile(rb">+From ")


@dataclass(frozen=True)
class Found:
    """A mail and where it was: a file, `inbox.mbox#3` for the third mail in an mbox; or why it cannot be published."""

    name: str
    result: Email | UnreadableMail


def read(path: Path) -> Iterator[Found]:
    """Every mail in a file or a folder, in an order that depends on the names only, one at a time.

    - A file that begins with an mbox's separator line is an mbox, of any size; any other is one mail.
    - A folder with `cur` and `new` in it is a Maildir, its mails in the order of their names.
    - Any other folder, and what else is in a Maildir: its `*.eml` files, mboxes, Maildirs and folders, in the order of
      their names. Symbolic links to folders are not followed.

    Only reads: it takes no lock and moves nothing from `new` to `cur`. Raises nothing: a path that does not exist or
    cannot be read is found as such, so that the others go on.
    """
    return _read(path, asked_for=True)


def mails_of_mbox(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The mails of an mbox from its lines, each with its separator line and without the empty line that ends it.

    One ">" is taken from lines that begin with ">From ", ">>From " and so on, as the mboxrd format has it. That is
    right for mboxo too but for a ">From " that its author wrote. https://www.rfc-editor.org/rfc/rfc4155#appendix-A
    """
    mail: list[bytes] = []
    for line in lines:
        if mail and _SEPARATOR.match(line):
            yield _joined(mail)
            mail = []
        mail.append(line[1:] if _ESCAPED.match(line) else line)
    if mail:
        yield _joined(mail)


def _read(path: Path, *, asked_for: bool) -> Iterator[Found]:
    is_mail = asked_for or path.suffix.lower() == ".eml"
    try:
        if path.is_dir():
            yield from _read_folder(path)
        elif path.is_file() and _is_mbox(path):
            yield from _read_mbox(path)
        elif path.is_file() and is_mail:
            yield Found(_name(path), _parsed(path.read_bytes()))
        elif is_mail:
            yield Found(_name(path), UnreadableMail("there is no file or folder of this name; check the path"))
    except OSError as error:
        reason = UnreadableMail(f"cannot be read: {error.strerror}; check its permissions and its disk")
        yield Found(_name(path), reason)


def _read_folder(folder: Path) -> Iterator[Found]:
    inside = sorted(folder.iterdir())
    if {"cur", "new"} <= {path.name for path in inside if path.is_dir()}:
        of_maildir = [folder / "cur", folder / "new"]
        mails = [path for place in of_maildir for path in place.iterdir() if not path.name.startswith(".")]
        for path in sorted(mails, key=lambda path: path.name):
            yield from _read(path, asked_for=True)
        inside = [path for path in inside if path.name not in {"cur", "new", "tmp"}]
    for path in inside:
        if not (path.is_symlink() and path.is_dir()):
            yield from _read(path, asked_for=False)


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return _SEPARATOR.match(file.readline(_LONGEST_SEPARATOR)) is not None


def _read_mbox(path: Path) -> Iterator[Found]:
    with path.open("rb") as file:
        for number, mail in enumerate(mails_of_mbox(file), start=1):
            yield Found(f"{_name(path)}#{number}", _parsed(mail))


def _name(path: Path) -> str:
    """The path as text that can be printed: a file system takes names that are not."""
    return os.fsencode(path).decode("utf-8", "replace")


def _parsed(mail: bytes) -> Email | UnreadableMail:
    try:
        return parse(mail)
    except UnreadableMail as reason:
        return reason


def _joined(mail: list[bytes]) -> bytes:
    return b"".join(mail[:-1] if mail[-1].strip() == b"" else mail)
