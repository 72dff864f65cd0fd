"""The files in which mail programs keep mails: single mails, mboxes, Maildirs, and folders of these."""

from __future__ import annotations

import codecs
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from services.pipeline.message import Email
from sim.mail.mbox import is_mbox, is_mmdf, mails_of_mbox, mails_of_mmdf
from sim.mail.parse import UnreadableMail, parse

_MAILDIR = {"cur", "new", "tmp"}
_OF_A_MAIL = {".eml", ".emlx", ".msg"}
_LENGTH = re.compile(rb"\s*(\d{1,18})[ \t]*\r?\n")
_IN_MEMORY = 1 << 24  # bytes of a pipe; what is longer goes to a temporary file

# Files that hold mails in a form of their own, by their first bytes, and what makes a file that can be read of each.
_OTHER_FORMS = {
    b"\x1f\x8b": "compressed with gzip; publish `<(zcat FILE)` instead",
    b"PK\x03\x04": "a zip archive; unpack it and publish the folder",
    b"\xd0\xcf\x11\xe0": "Outlook's .msg; save the mail as .eml",
    b"!BDN": "Outlook's .pst; convert it with `readpst` and publish the folder",
}


@dataclass(frozen=True)
class Found:
    """A mail and where it was: a file, `inbox.mbox#3` for the third mail in an mbox; or why it cannot be published."""

    name: str
    result: Email | UnreadableMail


def read(path: Path) -> Iterator[Found]:
    """Every mail in a file or a folder, in an order that depends on the names only, one at a time.

    - A file that begins with an mbox's separator line, or MMDF's, is an mbox, of any size; an `.emlx` is Apple Mail's;
      any other is one mail. A pipe, such as `/dev/stdin`, is read to its end first.
    - A folder in which there are two of `cur`, `new` and `tmp` is a Maildir, its mails in the order of their names.
    - Any other folder, and what else is in a Maildir: its `*.eml` and `*.emlx` files, its files named by a number (as
      MH names them), mboxes, Maildirs and folders, in the order of their names. Symbolic links to folders are not
      followed. Names that begin with a dot are passed over, but for the folders within a Maildir.

    Only reads: it takes no lock and moves nothing from `new` to `cur`. Raises nothing: a path that does not exist,
    cannot be read, or has no mail in it is found as such, so that the others go on.
    """
    none = True
    for found in _read(path, asked_for=True):
        none = False
        yield found
    if none:
        yield Found(_name(path), UnreadableMail("no e-mail is in it; give .eml files, mboxes, Maildirs or MH folders"))


def _read(path: Path, *, asked_for: bool) -> Iterator[Found]:
    is_mail = asked_for or path.suffix.lower() in _OF_A_MAIL or path.name.isdecimal()
    try:
        if path.is_dir():
            yield from _read_folder(path)
        elif path.is_file():
            with path.open("rb") as file:
                yield from _read_file(file, path, is_mail=is_mail)
        elif asked_for and path.exists():
            with path.open("rb") as pipe, tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
                shutil.copyfileobj(pipe, file)
                file.seek(0)
                yield from _read_file(file, path, is_mail=True)
        elif is_mail:
            yield Found(_name(path), UnreadableMail("there is no file or folder of this name; check the path"))
    except OSError as error:
        reason = UnreadableMail(f"cannot be read: {error.strerror}; check its permissions and its disk")
        yield Found(_name(path), reason)


def _read_folder(folder: Path) -> Iterator[Found]:
    inside = sorted(folder.iterdir())
    of_maildir = [path for path in inside if path.name in _MAILDIR and path.is_dir()]
    if len(of_maildir) > 1:
        mails = [
            path for place in of_maildir if place.name != "tmp" for path in place.iterdir() if not _is_hidden(path)
        ]
        for path in sorted(mails, key=lambda path: path.name):
            yield from _read(path, asked_for=True)
        inside = [path for path in inside if path not in of_maildir and (path.is_dir() or not _is_hidden(path))]
    else:
        inside = [path for path in inside if not _is_hidden(path)]
    for path in inside:
        if not (path.is_symlink() and path.is_dir()):
            yield from _read(path, asked_for=False)


def _read_file(file: IO[bytes], path: Path, *, is_mail: bool) -> Iterator[Found]:
    name = _name(path)
    file = _in_utf8(file)
    if is_mbox(file) or is_mmdf(file):
        for number, mail in enumerate(mails_of_mbox(file) if is_mbox(file) else mails_of_mmdf(file), start=1):
            yield Found(f"{name}#{number}", _parsed(mail))
    elif is_mail:
        raw = file.read()
        yield Found(name, _parsed(_of_apple_mail(raw) if path.suffix.lower() == ".emlx" else raw))


def _in_utf8(file: IO[bytes]) -> IO[bytes]:
    """The file, or if a text editor has saved it in UTF-16, the same in UTF-8; with its byte order mark."""
    mark = file.read(2)
    file.seek(0)
    if mark not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return file
    return BytesIO(file.read().decode("utf-16", "replace").encode("utf-8-sig"))


def _of_apple_mail(raw: bytes) -> bytes:
    """The mail in an `.emlx`: its length in bytes on a line, the mail, and what Apple Mail knows of it."""
    length = _LENGTH.match(raw)
    return raw[length.end() :][: int(length[1])] if length else raw


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _name(path: Path) -> str:
    """The path as text that can be printed: a file system takes names that are not."""
    return os.fsencode(path).decode("utf-8", "replace")


def _parsed(mail: bytes) -> Email | UnreadableMail:
    form = next((form for magic, form in _OTHER_FORMS.items() if mail.startswith(magic)), None)
    if form is not None or not mail.strip():
        return UnreadableMail(form or "empty; there is nothing to publish")
    try:
        return parse(mail)
    except UnreadableMail as reason:
        return reason
