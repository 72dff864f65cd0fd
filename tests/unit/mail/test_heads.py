"""One odd line before or in the head of a mail does not make the rest of the head a part of the text."""

from __future__ import annotations

import pytest

from services.pipeline.message import Email
from sim.mail import UnreadableMail, parse
from sim.mail.head import mended

HEAD = "From: Ann <ann@example.com>\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\nSubject: Grüße\r\n"
BODY = "Content-Type: text/plain; charset=iso-8859-1\r\n\r\nfünf\r\n"
EMAIL = Email(
    email_subject="Grüße",
    email_sender="Ann <ann@example.com>",
    email_timestream="880127706",
    email_content="fünf\n",
)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_mail_that_a_text_editor_has_saved(codec: str) -> None:
    """The editor has made UTF-8 or UTF-16 of all bytes, so the charset that the mail declares is no longer true."""
    assert parse((HEAD + BODY).encode(codec)) == EMAIL


def test_what_is_encoded_keeps_its_charset_in_a_text_editor() -> None:
    encoded = "Content-Transfer-Encoding: quoted-printable\r\n" + BODY.replace("ü", "=FC")
    assert parse((HEAD + encoded).encode("utf-16")) == EMAIL


@pytest.mark.parametrize(
    "before",
    [
        "\r\n",
        "\n \n\r\n",
        "From ann@example.com Fri Nov 21 15:55:06 1997\n\n",
        ">From ann@example.com Fri Nov 21 15:55:06 1997\r\n",
        "Mail Internet Headers Version 2.0\r\n",
        ": a field without a name\r\n",
        " a line that goes on from nothing\r\n",
        ".\r\n",
        "Received: by a.example.com\r\n\r\n",
        "Received: by a.example.com\r\nan odd line\r\nanother\r\n",
    ],
)
def test_odd_lines_before_the_sender(before: str) -> None:
    assert parse((before + HEAD + BODY).encode("latin-1")) == EMAIL


@pytest.mark.parametrize(
    "odd", [".", "no colon", ">From b@example.com", "From b Fri Nov 21 15:55:06 1997", ": no name"]
)
@pytest.mark.parametrize("place", [1, 2, 3])
def test_odd_lines_within_the_head(odd: str, place: int) -> None:
    lines = (HEAD + BODY).split("\r\n")
    assert parse("\r\n".join([*lines[:place], odd, *lines[place:]]).encode("latin-1")) == EMAIL


def test_white_space_before_a_colon() -> None:
    assert parse((HEAD + BODY).replace(": ", " \t: ", 5).encode("latin-1")) == EMAIL


@pytest.mark.parametrize(
    "text", ["no empty line before me\r\n", "Dear Bob\r\nSubject: tea\r\n\r\nor this?\r\n", ".\r\n\r\nx\r\n"]
)
def test_a_text_that_begins_without_an_empty_line_is_not_lost(text: str) -> None:
    assert parse((HEAD + text).encode()).email_content == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "text", ["\r\nFrom: b\r\nDate: 1 Jan 1990\r\n", " \r\n", "\n>From the archive\n", "\rone\rtwo\r"]
)
def test_a_text_behind_an_empty_line_is_left_as_it_is(text: str) -> None:
    assert mended((HEAD + text).encode()) == (HEAD + text).encode()


def test_a_forwarded_head_does_not_date_a_mail_without_a_date() -> None:
    with pytest.raises(UnreadableMail, match="no date"):
        parse(b"From: ann@example.com\r\n\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n\r\nforwarded\r\n")


@pytest.mark.parametrize(
    ("parameters", "content"),
    [
        ("; charset=iso-8859-2 (Central Europe)", "zażółć"),
        (" charset=iso-8859-2", "zażółć"),
        (", charset=iso-8859-2", "zażółć"),
        ("; charset*=us-ascii'en'iso%2D8859%2D2", "zażółć"),
        ("; charset*0=iso-88; charset*1=59-2", "zażółć"),
        ("; name=a; name*0*=x''b; name*=c; charset=iso-8859-2; charset=utf-8", "zażółć"),
        ('; charset="iso-8859-2', "zażółć"),
        ("; charset*=utf-8\0''x", "za¿ó³æ"),
        ("; name*99999999999999999999*=x; charset=iso-8859-2", "zażółć"),
    ],
)
def test_parameters_that_are_written_oddly(parameters: str, content: str) -> None:
    head = HEAD + "Content-Type: text/plain" + parameters + "\r\n\r\n"
    assert parse(head.encode() + "zażółć".encode("iso8859-2")).email_content == content


@pytest.mark.parametrize(
    ("boundary", "written"),
    [
        ("----=_Part_1", "----=_Part_1"),
        ("a/b:c", "a/b:c"),
        ('"a b"', "a b"),
        ('"a;b"', "a;b"),
        ('"(b)"', "(b)"),
        ("b (generated)", "b"),
        ("b; name*=x; name*0=y", "b"),
    ],
)
def test_boundaries_that_are_written_oddly(boundary: str, written: str) -> None:
    parts = f"--{written}\n\ntext\n--{written}\nContent-Type: image/png\n\nx\n--{written}--\n"
    mail = HEAD + f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n" + parts
    assert parse(mail.encode()).email_content == "text"
