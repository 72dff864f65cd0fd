"""For any bytes the e-mail parser gives an e-mail or its own error, and a mail says what was written into it."""

from __future__ import annotations

import re
from email.header import Header
from email.message import EmailMessage
from email.utils import formatdate
from io import BytesIO

from hypothesis import example, given
from hypothesis import strategies as st

from services.pipeline.message import MAX_UNIX_SECONDS, Email
from sim.mail import SAMPLES, UnreadableMail, parse
from sim.mail.mbox import mails_of_mbox

MAILS = [path.read_bytes() for path in sorted(SAMPLES.iterdir())]
FRAGMENTS = [
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\xff\xfe", b"9" * 5000, b"From ", b"Date: "),
    *b'=? ?= ?q? ?B? ; : " ( -- <![ &# *= *0*= boundary= multipart/ message/rfc822 text/html uuencode base64'.split(),
    *(b"charset=utf-7", b"charset=utf-16", b"charset=hex", b"charset=idna"),
]


@st.composite
def damaged_mails(draw: st.DrawFn) -> bytes:
    """A real mail in which a few stretches were replaced."""
    mail = draw(st.sampled_from(MAILS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(mail)))
        end = start + draw(st.integers(0, 40))
        mail = mail[:start] + draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=8)) + mail[end:]
    return mail


@given(raw=st.binary(max_size=2000) | st.lists(st.sampled_from(FRAGMENTS)).map(b"".join) | damaged_mails())
@example(raw=b"")
@example(raw=b"From: a\nDate: 1 Jan 2000 00:00 GMT\n" + b"Content-Type: message/rfc822\n\n" * 5000)
def test_any_bytes_are_an_email_or_unreadable(raw: bytes) -> None:
    try:
        email = parse(raw)
    except UnreadableMail:
        return
    assert Email.model_validate(email.model_dump()) == email


def encoded_words(line: str) -> str:
    return Header(line, "utf-8").encode()


legal_characters = st.characters(
    exclude_categories=["Cc", "Cs", "Zl", "Zp"],  # the last two are line breaks to Python's writer of headers
    exclude_characters="\ufffe\uffff",
)
lines = st.text(legal_characters, max_size=120).map(str.strip)
texts = st.text(legal_characters | st.sampled_from("\t\n\r"), max_size=300)


@given(
    subject=lines,
    sender=lines.filter(lambda line: line not in ("", "<>")),
    seconds=st.integers(0, MAX_UNIX_SECONDS),
    content=texts,
    transfer_encoding=st.sampled_from(["8bit", "quoted-printable", "base64"]),
)
def test_a_mail_says_what_was_written_into_it(
    subject: str, sender: str, seconds: int, content: str, transfer_encoding: str
) -> None:
    """But for line breaks, which are all "\\n", and the one that a mail program adds to the end."""
    body = EmailMessage()
    body.set_content(content, cte=transfer_encoding)
    head = f"Subject: {encoded_words(subject)}\nFrom: {encoded_words(sender)}\nDate: {formatdate(seconds)}\n"
    lined = content.replace("\r\n", "\n").replace("\r", "\n")
    assert parse(head.encode() + body.as_bytes()) == Email(
        email_subject=subject,
        email_sender=sender,
        email_timestream=str(seconds),
        email_content=lined if lined.endswith("\n") else lined + "\n",
    )


mbox_lines = st.sampled_from(
    [b"From ", b"From a Fri Nov 21 15:55:06 1997", b">From ", b">>From b", b"", b"text", b" From c"]
)
mails = st.lists(mbox_lines | st.binary(max_size=9).filter(lambda line: b"\n" not in line), min_size=1)


@given(st.lists(mails))
def test_an_mbox_gives_back_the_mails_that_were_put_into_it(written: list[list[bytes]]) -> None:
    """Written as mboxrd has it: each after a separator line, lines of "From " escaped, an empty line at the end."""
    separator = b"From ann@example.com Fri Nov 21 15:55:06 1997\n"
    originals = [separator + b"".join(line + b"\n" for line in mail) for mail in written]
    escaped = [re.sub(rb"(?m)^(>*From )", rb">\1", mail.removeprefix(separator)) for mail in originals]
    mbox = b"".join(separator + mail + b"\n" for mail in escaped)
    assert list(mails_of_mbox(BytesIO(mbox))) == originals
