"""One real e-mail, as bytes, made the `Email` that the API takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32
from typing import cast

from services.pipeline.message import MAX_UNIX_SECONDS, Email
from sim.errors import SimError
from sim.mail import encoding, headers, markup

# What `Email` refuses in a text: everything that is no character of XML 1.0.
_NO_XML_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAK = re.compile("\r\n?")


class UnreadableMail(SimError):
    """A mail that cannot be published. Says why and what would help, never what is in the mail."""


class _AsSent(Compat32):
    """Header fields unfolded and otherwise as they came: `sim.mail.headers` knows more about them than the library."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002
        return value.replace("\r", "").replace("\n", "").strip()


def parse(raw: bytes) -> Email:
    """The e-mail that is in `raw`, an Internet message (RFC 5322 with MIME), with or without an mbox's separator line.

    - subject: `Subject`, or the empty string;
    - sender: `From` as it is shown (name and address), or else `Sender`, or else `Return-Path`;
    - timestream: `Date`, or else the date of the topmost `Received`, or else that of the separator line;
    - content: the text that a reader is shown: of alternatives the plain one, else HTML made plain, the texts of a
      mixed mail one after the other; no attachment (what says that it is one, has a file name, or is a mail within the
      mail). Line breaks are "\\n". The empty string if there is no text.

    Each character that `Email` refuses becomes U+FFFD, so that one stray NUL does not keep a mail from being published.

    Raises UnreadableMail, and nothing else whatever the bytes, for a mail with no sender, with no date, with a date
    before 1970 or after 9999, or so malformed that the standard library's parser fails on it.
    """
    try:
        return _email(message_from_bytes(raw, policy=_AsSent()))
    except UnreadableMail:
        raise
    except Exception as error:
        # The boundary: what the standard library raises on hostile input is not documented and differs from one
        # version to the next. Its message may quote the mail, so only its name is told.
        cause = type(error).__name__
        raise UnreadableMail(f"malformed: Python's e-mail parser failed on it ({cause}); repair its MIME") from None


def _email(mail: Message) -> Email:
    content = "\n".join(text.text for text in _texts(mail))
    return Email(
        email_subject=_publishable(_header(mail, "Subject")),
        email_sender=_publishable(_sender(mail)),
        email_timestream=str(_date(mail)),
        email_content=_publishable(_LINE_BREAK.sub("\n", content)),
    )


def _publishable(text: str) -> str:
    return _NO_XML_CHARACTER.sub("\ufffd", text)


def _header(mail: Message, name: str) -> str:
    return headers.text(mail.get(name, "").encode("ascii", "surrogateescape"))


def _sender(mail: Message) -> str:
    for name in ("From", "Sender", "Return-Path"):
        sender = _header(mail, name)
        if sender and sender != "<>":  # the null path, which means that nobody is to be answered
            return sender
    raise UnreadableMail("no sender: From, Sender and Return-Path are missing or empty; add a From header")


def _date(mail: Message) -> int:
    received = mail.get("Received", "").rpartition(";")[2]
    separator_line = " ".join((mail.get_unixfrom() or "").split()[2:])
    for field in (mail.get("Date", ""), received, separator_line):
        seconds = headers.unix_seconds(field)
        if seconds is None:
            continue
        if 0 <= seconds <= MAX_UNIX_SECONDS:
            return seconds
        raise UnreadableMail("a date before 1970 or after 9999; correct the Date header")
    raise UnreadableMail('no date: neither Date nor Received has one; add one like "Date: 21 Nov 1997 09:55:06 -0600"')


@dataclass(frozen=True)
class _Text:
    text: str
    was_html: bool


def _texts(part: Message) -> list[_Text]:
    """The texts that a reader of this part is shown. https://www.rfc-editor.org/rfc/rfc2046#section-5.1"""
    if part.get_content_disposition() == "attachment" or part.get_filename() is not None:
        return []
    if part.is_multipart():
        return _texts_of_multipart(part)
    if part.get_content_type() == "text/html":
        return [_Text(markup.text_of(_decoded(part)), was_html=True)]
    # A multipart with no parts has lost its boundary: what it has is read as the plain text that it mostly is.
    if part.get_content_type() == "text/plain" or part.get_content_maintype() == "multipart":
        return [_Text(_decoded(part), was_html=False)]
    return []


def _texts_of_multipart(part: Message) -> list[_Text]:
    if part.get_content_maintype() != "multipart":  # message/rfc822: a mail within the mail
        return []
    parts = cast("list[Message]", part.get_payload())
    children = [texts for child in parts if (texts := _texts(child))]
    match part.get_content_subtype():
        case "alternative":
            return min(children, key=_shown_last, default=[])
        case "related":
            return children[0] if children else []
        case _:
            return [text for texts in children for text in texts]


def _shown_last(alternative: list[_Text]) -> tuple[bool, bool]:
    """Blank texts after all others, then what has HTML in it: senders of HTML alone often add an empty plain text."""
    return not any(text.text.strip() for text in alternative), any(text.was_html for text in alternative)


def _decoded(part: Message) -> str:
    in_base64 = part.get("Content-Transfer-Encoding", "").lower() == "base64"
    if in_base64:  # hidden from the library, which hands back, undecoded, much of what ours can still decode
        del part["Content-Transfer-Encoding"]
    data = cast("bytes", part.get_payload(decode=True))  # a part with text in it is no multipart, whatever its type
    return encoding.text(encoding.base64_bytes(data) if in_base64 else data, part.get_content_charset())
