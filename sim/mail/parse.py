"""One real e-mail, as bytes, made the `Email` that the API takes."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import Message

from services.pipeline.message import MAX_UNIX_SECONDS, Email
from sim.errors import SimError
from sim.mail import body, dates, encoding, head, headers, mbox

# What `Email` refuses in a text: everything that is no character of XML 1.0.
_NO_XML_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_UNKNOWN_CHARSET = "text in a charset that cannot be decoded, such as ISO-2022-CN; save it in UTF-8"
_LIKE_THIS = 'give it one like "Date: 21 Nov 1997 09:55:06 -0600"'
_LINE_BREAK = re.compile("\r\n?")


class UnreadableMail(SimError):
    """A mail that cannot be published. Says why and what would help, never what is in the mail."""


def parse(raw: bytes) -> Email:
    """The e-mail that is in `raw`, an Internet message (RFC 5322 with MIME), with or without an mbox's separator line.

    - subject: `Subject`, or the empty string;
    - sender: `From` as it is shown (name and address), or else `Sender`, or else `Return-Path`;
    - timestream: `Date`, or else the date of the topmost `Received`, or else that of the separator line;
    - content: the text that a reader is shown, as `sim.mail.body` finds it. Line breaks are "\\n".

    Each character that `Email` refuses becomes U+FFFD, so that one stray NUL does not keep a mail from being published.

    Raises UnreadableMail, and nothing else whatever the bytes, for a mail with no sender, with no date, with a date
    before 1970 or after 9999, with text in a charset that nothing here decodes, or so malformed that the standard
    library's parser fails on it.
    """
    data, in_utf8 = head.in_bytes(raw)
    try:
        return _email(message_from_bytes(head.mended(data), policy=headers.AsSent()), in_utf8=in_utf8)
    except UnreadableMail:
        raise
    except encoding.UnknownCharset:
        raise UnreadableMail(_UNKNOWN_CHARSET) from None
    except Exception as error:
        # The boundary: what the standard library raises on hostile input is not documented and differs from one
        # version to the next. Its message may quote the mail, so only its name is reported.
        cause = type(error).__name__
        raise UnreadableMail(f"malformed: Python's e-mail parser failed on it ({cause}); repair its MIME") from None


def _email(mail: Message, *, in_utf8: bool) -> Email:
    charset = body.charset_of(mail)
    return Email(
        email_subject=_publishable(_header(mail, "Subject", charset)),
        email_sender=_publishable(_sender(mail, charset)),
        email_timestream=str(_date(mail)),
        email_content=_publishable(_LINE_BREAK.sub("\n", body.text_of(mail, in_utf8=in_utf8))),
    )


def _publishable(text: str) -> str:
    return _NO_XML_CHARACTER.sub("\ufffd", text)


def _header(mail: Message, name: str, charset: str | None) -> str:
    return headers.text(mail.get(name, "").encode("ascii", "surrogateescape"), charset)


def _sender(mail: Message, charset: str | None) -> str:
    for name in ("From", "Sender", "Return-Path"):
        sender = _header(mail, name, charset)
        if sender and sender != "<>":  # the null path, which means that nobody is to be answered
            return sender
    raise UnreadableMail("no sender: From, Sender and Return-Path are missing or empty; add a From header")


def _date(mail: Message) -> int:
    received = mail.get("Received", "").rpartition(";")[2]
    separator_line = mbox.date_of((mail.get_unixfrom() or "").encode("ascii", "surrogateescape"))
    for seconds in (dates.unix_seconds(mail.get("Date", "")), dates.unix_seconds(received), separator_line):
        if seconds is None:
            continue
        if 0 <= seconds <= MAX_UNIX_SECONDS:
            return seconds
        raise UnreadableMail("a date before 1970 or after 9999; correct the Date header")
    if mail.get("Date", "").strip():
        raise UnreadableMail(f"no date: the Date header may be two moments, or none; {_LIKE_THIS}")
    raise UnreadableMail(f"no date: neither Date nor Received has one; {_LIKE_THIS}")
