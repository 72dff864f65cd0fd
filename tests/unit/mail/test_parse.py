"""A real e-mail, as a mail program wrote it, becomes the e-mail that is published."""

from __future__ import annotations

import base64
from traceback import format_exception

import pytest
from pydantic import ValidationError

from services.pipeline.message import Email
from sim.mail import UnreadableMail, parse

HEAD = b"From: Ann <ann@example.com>\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
UNIX_SECONDS = 880127706


def with_header(line: bytes) -> bytes:
    return HEAD + line + b"\r\n\r\n"


def with_body(content_type: bytes, body: bytes, transfer_encoding: bytes = b"8bit") -> bytes:
    head = b"Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n" % (content_type, transfer_encoding)
    return HEAD + head + b"\r\n" + body


def dated(date: bytes) -> bytes:
    return b"From: ann@example.com\r\nDate: " + date + b"\r\n\r\n"


def test_a_plain_mail_becomes_the_four_fields() -> None:
    email = parse(HEAD + b"Subject: Tea\r\n\r\nAt five?\r\nAnn\r\n")
    assert email.email_subject == "Tea"
    assert email.email_sender == "Ann <ann@example.com>"
    assert email.email_timestream == str(UNIX_SECONDS)
    assert email.email_content == "At five?\nAnn\n"


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"Subject: =?utf-8?Q?caf=C3=A9_cr=C3=A8me?=", "café crème"),
        (b"Subject: =?UTF-8?B?w6k=?= =?utf-8?b?w6g=?=", "éè"),
        (b"Subject: =?utf-8?q?caf=C3?=\r\n =?UTF-8?Q?=A9?=", "café"),
        (b"Subject: =?utf-8?Q?_tea_?=", "tea"),
        (b"Subject: =?utf-8?b?8J+Y?= =?utf-8?b?gA==?=", "😀"),
        (b"Subject: =?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"),
        (b"Subject: =?koi8-r?B?8NLJ18XU?=", "Привет"),
        (b"Subject: =?gb2312?B?xOO6ww==?=", "你好"),
        (b"Subject: =?iso-8859-1*en?Q?=A3_5?=", "£ 5"),
        (b"Subject: =?x-nobody-knows?Q?=C3=A9?=", "é"),
        (b"Subject: Re: =?iso-8859-1?Q?=E9?= and =?utf-8?Q?=C3=A9?=", "Re: é and é"),
        (b"Subject: =?utf-8?B?w6k?=", "é"),
        (b"Subject: =?utf-8?B?w6kx*YQ?=", "é1a"),
        (b"Subject: =?utf-8?Q?100=25?= sure", "100% sure"),
        (b"Subject: 1 =?= 2, =? or ?=", "1 =?= 2, =? or ?="),
        (b"Subject: two\r\n lines", "two lines"),
        (b"Subject: =?utf-8?Q?two=0D=0Alines?=", "two lines"),
        (b"Subject: caf\xc3\xa9", "café"),
        (b"Subject: caf\xe9", "café"),
        (b"Subject:", ""),
        (b"X-Subject: none", ""),
    ],
)
def test_the_subject_is_what_the_sender_typed(header: bytes, subject: str) -> None:
    assert parse(with_header(header)).email_subject == subject


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        (b"From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.com>", "Zoë <zoe@example.com>"),
        (b'From: "J\xc3\xb6rg" <j@example.com>', '"Jörg" <j@example.com>'),
        (b"From: \r\nSender: list@example.com", "list@example.com"),
        (b"Return-Path: <a@example.com>", "<a@example.com>"),
        (b"Return-Path: <a@example.com>\r\nSender: b@example.com\r\nFrom: c@example.com", "c@example.com"),
    ],
)
def test_the_sender_is_from_or_the_next_best(headers: bytes, sender: str) -> None:
    assert parse(b"Date: 21 Nov 1997 09:55:06 -0600\r\n" + headers + b"\r\n\r\n").email_sender == sender


@pytest.mark.parametrize("headers", [b"Subject: x", b"From:", b"Return-Path: <>"])
def test_a_mail_without_a_sender_is_refused(headers: bytes) -> None:
    with pytest.raises(UnreadableMail, match="no sender"):
        parse(b"Date: 21 Nov 1997 09:55:06 -0600\r\n" + headers + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("date", "unix_seconds"),
    [
        (b"Fri, 21 Nov 1997 09:55:06 -0600", UNIX_SECONDS),
        (b"21 Nov 1997 15:55:06 GMT", UNIX_SECONDS),
        (b"21 Nov 1997 15:55:06 -0000", UNIX_SECONDS),
        (b"21 Nov 97 10:55:06 EST", UNIX_SECONDS),
        (b"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600 (CST)", UNIX_SECONDS),
        (b"Fri, 21 Nov 1997 15:55:06", UNIX_SECONDS),
        (b"21 Nov 1997 15:55 +0000", UNIX_SECONDS - 6),
        (b"31 Dec 1998 23:59:60 +0000", 915148800),
        (b"1 Jan 1970 00:00:00 +0000", 0),
        (b"31 Dec 9999 23:59:59 +0000", 253402300799),
    ],
)
def test_the_date_is_the_moment_in_utc(date: bytes, unix_seconds: int) -> None:
    assert parse(dated(date)).email_timestream == str(unix_seconds)


@pytest.mark.parametrize(
    "date",
    [
        b"",
        b"yesterday",
        b"31 Feb 1997 10:00:00 +0000",
        b"21 Nov 99999999999 10:00:00 GMT",
        b"21 Nov 1997 25:00:00 +0000",
    ],
)
def test_a_mail_without_a_readable_date_is_refused(date: bytes) -> None:
    with pytest.raises(
        UnreadableMail, match="no date: " + ("the Date header may be two moments" if date else "neither")
    ):
        parse(dated(date))


@pytest.mark.parametrize(
    "date", [b"31 Dec 1969 23:59:59 +0000", b"1 Jan 1970 00:00:00 +0100", b"31 Dec 9999 23:59:59 -0100"]
)
def test_a_date_outside_unix_seconds_is_refused(date: bytes) -> None:
    with pytest.raises(UnreadableMail, match="before 1970 or after 9999"):
        parse(dated(date))


def test_without_a_date_header_the_last_hop_dates_the_mail() -> None:
    hops = (
        b"Received: from b by c for <d@example.com>;\r\n Fri, 21 Nov 1997 09:55:06 -0600\r\n"
        b"Received: from a by b; 20 Nov 1997 09:55:06 -0600\r\n"
    )
    assert parse(hops + b"From: a\r\n\r\n").email_timestream == str(UNIX_SECONDS)
    assert parse(hops + b"From: a\r\nDate: garbage\r\n\r\n").email_timestream == str(UNIX_SECONDS)


def test_without_any_date_header_the_separator_line_of_an_mbox_dates_the_mail() -> None:
    mail = b"From ann@example.com Fri Nov 21 15:55:06 1997\nFrom: ann@example.com\n\n"
    assert parse(mail).email_timestream == str(UNIX_SECONDS)


@pytest.mark.parametrize(
    ("content_type", "body", "content"),
    [
        (b"text/plain; charset=utf-8", "zażółć".encode(), "zażółć"),
        (b"text/plain; charset=iso-2022-jp", "日本語".encode("iso-2022-jp"), "日本語"),
        (b"text/plain; charset=koi8-r", "Привет".encode("koi8-r"), "Привет"),
        (b'text/plain; charset="gb18030"', "你好𠀀".encode("gb18030"), "你好𠀀"),
        (b"text/plain; charset=ks_c_5601-1987", "똠방".encode("cp949"), "똠방"),
        (b"text/plain; charset=x-sjis", "①日本".encode("cp932"), "①日本"),
        (b"text/plain; charset=iso-8859-8-i", "שלום".encode("iso-8859-8"), "שלום"),
        (b"text/plain; charset=iso-8859-1", b"\x93smart\x94", "“smart”"),
        (b"text/plain; charset=utf-8", b"caf\xe9!", "caf\ufffd!"),
        (b"text/plain; charset=us-ascii", "café".encode(), "café"),
        (b"text/plain; charset=x-nobody-knows", "café".encode(), "café"),
        (b"text/plain; charset=x-nobody-knows", b"caf\xe9 \x80", "café €"),
        (b"text/plain; charset=hex", b"6869", "6869"),
        (b"text/plain; charset=idna", "café".encode(), "café"),
        (b"text/plain", b"caf\xe9", "café"),
        (b"nonsense", b"still text", "still text"),
        (b"application/pdf", b"%PDF", ""),
        (b"text/plain; charset=utf-8; format=flowed", b"flows \r\non\r\n", "flows \non\n"),
        (b"text/plain", b"one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
    ],
)
def test_the_content_is_text_whatever_its_charset(content_type: bytes, body: bytes, content: str) -> None:
    assert parse(with_body(content_type, body)).email_content == content


@pytest.mark.parametrize(
    ("transfer_encoding", "body", "content"),
    [
        (b"quoted-printable", b"caf=C3=A9 =\r\nsoft=2E", "café soft."),
        (b"Quoted-Printable", b"broken =ZZ =C3=A9 =", "broken =ZZ é "),
        (b"base64", base64.b64encode("café".encode()), "café"),
        (b"base64", b"Y2Fmw6k", "café"),
        (b"base64", b"Y2Fm\r\n!!w6k=\r\n-- \r\nsent to a list", "café"),
        (b"BASE64 ", b"Y2Fmw6khI", "café!"),
        (b"x-unheard-of", b"as it is", "as it is"),
    ],
)
def test_the_transfer_encoding_is_undone_even_where_it_is_broken(
    transfer_encoding: bytes, body: bytes, content: str
) -> None:
    assert parse(with_body(b"text/plain; charset=utf-8", body, transfer_encoding)).email_content == content


PLAIN = b"Content-Type: text/plain\n\nplain\n"
HTML = b"Content-Type: text/html\n\n<p>html</p>\n"
BLANK = b"Content-Type: text/plain\n\n \n"
FOOTER = b"Content-Type: text/plain\n\nfooter\n"
PICTURE = b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\naGk=\n"
ATTACHED = b"Content-Type: text/plain\nContent-Disposition: attachment\n\nattached\n"
NAMED = b"Content-Type: text/plain; name=notes.txt\n\nattached\n"
FORWARDED = b"Content-Type: message/rfc822\n\nFrom: b@example.com\nSubject: inner\n\nforwarded\n"


def multipart(subtype: bytes, *parts: bytes) -> bytes:
    boundary = b"in-" + subtype
    inside = b"".join(b"--" + boundary + b"\n" + part + b"\n" for part in parts)
    return b'Content-Type: multipart/%s; boundary="%s"\n\n%s--%s--\n' % (subtype, boundary, inside, boundary)


@pytest.mark.parametrize(
    ("mail", "content"),
    [
        (multipart(b"alternative", PLAIN, HTML), "plain\n"),
        (multipart(b"alternative", HTML, PLAIN), "plain\n"),
        (multipart(b"alternative", BLANK, HTML), "html"),
        (multipart(b"alternative", PLAIN, multipart(b"related", HTML, PICTURE)), "plain\n"),
        (multipart(b"mixed", multipart(b"alternative", PLAIN, HTML), PICTURE, ATTACHED), "plain\n"),
        (multipart(b"mixed", PLAIN, NAMED, FORWARDED, FOOTER), "plain\n\nfooter\n"),
        (multipart(b"mixed", HTML, FOOTER), "html\nfooter\n"),
        (multipart(b"related", multipart(b"alternative", PLAIN, HTML), PICTURE), "plain\n"),
        (multipart(b"related", HTML, FOOTER), "html"),
        (multipart(b"signed", PLAIN, b"Content-Type: application/pgp-signature\n\nxyz\n"), "plain\n"),
        (multipart(b"mixed", PICTURE, ATTACHED), ""),
        (multipart(b"alternative", PICTURE), ""),
        (multipart(b"mixed", PLAIN).replace(b"--in-mixed--\n", b""), "plain\n"),
        (b"Content-Type: multipart/mixed\n\nwhere is the boundary?\n", "where is the boundary?\n"),
    ],
)
def test_the_content_is_what_a_reader_is_shown(mail: bytes, content: str) -> None:
    assert parse(HEAD.replace(b"\r\n", b"\n") + mail).email_content == content


@pytest.mark.parametrize(
    ("html", "content"),
    [
        ("<p>one</p><p>two\n three</p>", "one\n\ntwo three"),
        ("<div>one</div><div>two<br>three</div>", "one\ntwo\nthree"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("a &amp; b &eacute; &#x1F600; &lt;c&gt;", "a & b é 😀 <c>"),
        ("<title>t</title><style>s { }</style>seen<script>if (a < b) x()</script>", "seen"),
        ("<ul><li>one<li>two</ul>after", "one\ntwo\n\nafter"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("<b>bold</b>  <i> words</i>", "bold words"),
        ("before<pre>\n  kept\n    as is\n</pre>after  all", "before\n\n  kept\n    as is\n\nafter all"),
        ("<!-- hidden --><![if !mso]>shown<![endif]><![nonsense[ ]>, too", "shown, too"),
        ("cut <a href='", "cut "),
    ],
)
def test_html_is_read_as_text(html: str, content: str) -> None:
    mail = with_body(b"text/html; charset=utf-8", html.encode())
    assert parse(mail).email_content == content.strip(" ")


def test_many_tags_that_never_end_are_read_at_once() -> None:
    assert parse(with_body(b"text/html", b"text" + b"<a " * 100_000)).email_content == "text"


def test_characters_that_cannot_be_published_are_replaced_and_no_others() -> None:
    replaced = parse(with_body(b"text/plain; charset=utf-8", b"a\0b\x1bc\xef\xbf\xbfd\te\x7f")).email_content
    assert replaced == "a\ufffdb\ufffdc\ufffdd\te\x7f"
    assert parse(with_header(b"Subject: a\0b =?utf-8?Q?=07?=!")).email_subject == "a\ufffdb \ufffd!"
    assert parse(with_body(b"text/plain; charset=utf-7", b"+2AA-")).email_content == "\ufffd"


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Type: message/rfc822\n\n" * 5000,
        with_body(b"text/html", b"&#" + b"9" * 5000 + b";"),
    ],
    ids=["too deep", "too large a number"],
)
def test_what_the_standard_library_fails_on_is_refused_as_malformed(raw: bytes) -> None:
    with pytest.raises(UnreadableMail, match="malformed"):
        parse(raw)


def test_a_refusal_does_not_quote_the_mail() -> None:
    for mail in (dated(b"s3cret"), with_body(b"text/html", b"s3cret &#" + b"9" * 5000 + b";")):
        with pytest.raises(UnreadableMail) as refusal:
            parse(mail)
        printed = "".join(format_exception(refusal.value))
        assert "s3cret" not in printed
        assert "ValueError: " not in printed  # what the standard library raised may quote the mail


def is_refused(text: str) -> bool:
    try:
        Email(email_subject="", email_sender="", email_timestream="0", email_content=text)
    except ValidationError:
        return True
    return False


def test_a_character_is_replaced_only_if_it_would_be_refused() -> None:
    characters = [chr(code) for code in range(0x110000) if chr(code) != "\r" and not 0xD800 <= code < 0xE000]
    content = parse(with_body(b"text/plain; charset=utf-8", "".join(characters).encode())).email_content
    replaced = [sent for got, sent in zip(content, characters, strict=True) if got != sent]
    assert len(replaced) == 29 + 2
    assert all(is_refused(character) for character in replaced)
    assert content.count("\ufffd") == len(replaced) + 1
