"""For any bytes the e-mail parser gives an e-mail or its own error, and a mail says what was written into it."""

from __future__ import annotations

import codecs
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email import policy as policies
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate
from functools import cache

from hypothesis import example, given
from hypothesis import strategies as st
from webencodings import lookup
from webencodings.labels import LABELS

from services.pipeline.message import MAX_UNIX_SECONDS, Email
from sim.mail import SAMPLES, UnreadableMail, parse
from sim.mail.dates import unix_seconds

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MAILS = [path.read_bytes() for path in sorted(SAMPLES.iterdir())]
FRAGMENTS = [
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\xff\xfe", b"9" * 5000, b"From ", b"Date: "),
    *b'=? ?= ?q? ?B? ; : " ( -- <![ &# *= *0*= boundary= multipart/ message/rfc822 text/html uuencode base64'.split(),
    *(b"charset=utf-7", b"charset=utf-16", b"charset=hex", b"charset=idna", b"charset*0*=", b"charset=iso-2022-jp"),
    *(
        b"\xef\xbb\xbf",
        b"\xff\xfe\0\0",
        b"\x1b$B",
        b">From ",
        b"\n.\n",
        b"\n \n",
        b": ",
        b"Content-Type: text/",
        b"name*=",
    ),
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


@cache
def characters(codec: str) -> list[str]:
    """Many of the characters that a codec of Python's writes and reads back."""
    every = (chr(code) for code in range(0x20, 0xD800, 7))
    return [each for each in every if each.encode(codec, "replace").decode(codec) == each]


def charsets() -> list[tuple[str, str]]:
    """WHATWG's labels of the charsets that Python can write, each with the name of Python's codec.

    A label of US-ASCII, which is windows-1252 to WHATWG, says nothing about bytes beyond: those may be UTF-8.
    """
    names = {label: encoding.codec_info.name for label in LABELS if (encoding := lookup(label))}
    written = [(label, codec) for label, codec in names.items() if codec not in ("replacement", "x-user-defined")]
    return [(label, "ascii" if is_ascii(label) else codec) for label, codec in written]


def is_ascii(label: str) -> bool:
    """Whether it is one of Python's names of US-ASCII."""
    try:
        return codecs.lookup(label).name == "ascii"
    except LookupError:
        return False


@given(data=st.data(), charset=st.sampled_from(charsets()))
def test_a_text_comes_back_from_every_charset(data: st.DataObject, charset: tuple[str, str]) -> None:
    label, codec = charset
    content = data.draw(st.text(st.sampled_from(characters(codec)), max_size=40))
    head = f"From: a@example.com\nDate: {formatdate(0)}\nContent-Type: text/plain; charset={label}\n"
    encoded = b64encode(content.encode(codec))
    raw = head.encode() + b"Content-Transfer-Encoding: base64\n\n" + encoded
    assert parse(raw).email_content == content


SECONDS = st.integers(86_400, MAX_UNIX_SECONDS - 86_400)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@given(seconds=SECONDS, offset=OFFSETS, form=st.sampled_from(["rfc", "colon", "gmt", "iso", "asctime", "us"]))
def test_a_moment_comes_back_from_every_form_of_date(seconds: int, offset: int, form: str) -> None:
    there = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=offset)))
    sign, hours, minutes = "-" if offset < 0 else "+", *divmod(abs(offset), 60)
    zone = f"{sign}{hours:02}{minutes:02}"
    day, month, year = there.day, MONTHS[there.month - 1], f"{there.year:04}"
    half = f"{there.hour % 12 or 12}:{there:%M:%S} {'PM' if there.hour > 11 else 'AM'}"
    written = {
        "rfc": f"{day} {month} {year} {there:%H:%M:%S} {zone}",
        "colon": f"Mon, {day} {month} {year} {there:%H:%M:%S} {sign}{hours:02}:{minutes:02}",
        "gmt": f"{day}-{month}-{year} {there:%H:%M:%S} GMT{zone}",
        "iso": there.isoformat(),
        "asctime": f"Mon {month} {day:2} {there:%H:%M:%S} {year} {zone}",
        "us": f"{month} {day}, {year} {half} {zone}",
    }
    assert unix_seconds(written[form]) == seconds


pieces_of_dates = st.sampled_from(["Fri,", "21", "Nov", "1997", "9:55:06", "+0100", "PM", "T", "-", "(", ")"])


@given(st.text(max_size=60) | st.lists(pieces_of_dates).map(" ".join))
def test_no_text_makes_the_reader_of_dates_fail(date: str) -> None:
    assert isinstance(unix_seconds(date), int | None)


@given(
    subject=lines,
    name=lines,
    seconds=st.integers(0, MAX_UNIX_SECONDS),
    plain=texts,
    html=st.none() | st.just("<p>html</p>"),
    attachments=st.lists(st.tuples(lines.filter(bool), st.binary(max_size=30) | texts), max_size=2),
    policy=st.sampled_from([policies.default, policies.SMTP, policies.SMTPUTF8]),
    charset=st.sampled_from(["utf-8", "gb18030"]),
)
def test_a_mail_that_python_composes_is_read_back(
    subject: str,
    name: str,
    seconds: int,
    plain: str,
    html: str | None,
    attachments: list[tuple[str, bytes | str]],
    policy: EmailPolicy,
    charset: str,
) -> None:
    """With alternatives and attachments, in every policy that writes mail, whatever the names of the files."""
    mail = EmailMessage(policy)
    mail["Subject"] = subject
    mail["From"] = Address(name, "ann", "example.com")
    mail["Date"] = formatdate(seconds)
    mail.set_content(plain, charset=charset)
    if html is not None:
        mail.add_alternative(html, subtype="html")
    for filename, content in attachments:
        if isinstance(content, bytes):
            mail.add_attachment(content, "image", "png", filename=filename)
        else:
            mail.add_attachment(content, filename=filename)
    raw = mail.as_bytes()
    back = message_from_bytes(raw, policy=policies.default)
    email = parse(raw)
    # What Python itself writes wrongly into a header is not for the reader to mend.
    if str(back["Subject"]) == subject:
        assert email.email_subject == subject
    assert "ann@example.com" in email.email_sender
    assert email.email_timestream == str(seconds)
    written = plain.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    assert email.email_content.rstrip("\n") == ("html" if html and not plain.strip() else written)
