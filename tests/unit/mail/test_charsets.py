"""Text comes out of a mail as its sender typed it, whatever names and bytes the sender's program used."""

from __future__ import annotations

from base64 import b64encode

import pytest

from sim.mail import UnreadableMail, parse
from sim.mail.encoding import base64_bytes, text

HEAD = b"From: Ann <ann@example.com>\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n"


@pytest.mark.parametrize(
    ("charset", "data", "expected"),
    [
        ("x-mac-ukrainian", "Привіт".encode("mac-cyrillic"), "Привіт"),
        ("koi8-ru", "Привіт".encode("koi8-u"), "Привіт"),
        ("dos-874", "สวัสดี".encode("cp874"), "สวัสดี"),
        ("cp-850", "é".encode("cp850"), "é"),
        ("IBM0852", "ž".encode("cp852"), "ž"),
        ("win-1251", "Привет".encode("cp1251"), "Привет"),
        ("'iso-8859-2'", "żółć".encode("iso8859-2"), "żółć"),
        ("koi8-r; format=flowed", "Привет".encode("koi8-r"), "Привет"),
        ("gbk", b"\x80 " + "㐀".encode("gb18030"), "\ufffd 㐀"),
        ("big5-hkscs", "嘅".encode("big5hkscs"), "嘅"),
        ("iso-2022-kr", "안녕".encode("iso2022_kr"), "안녕"),
        ("hz-gb-2312", "你好".encode("hz"), "你好"),
        ("iso-2022-jp", "ｱｲｳ".encode("iso2022_jp_ext"), "ｱｲｳ"),
        ("iso-2022-jp", b"\x1b$B-!-jy!\x1b(B.", "①㈱纊."),
        ("euc-jp", b"\xad\xa1\xad\xea\xa4\xa2", "①㈱あ"),
        ("utf-16", "é".encode("utf-16"), "é"),
        ("utf-16", "é".encode("utf-16-be"), "\ue900"),
        ("iso-8859-1", b"\xef\xbb\xbf\xc3\xa9", "é"),
        ("", "こんにちは".encode("iso-2022-jp"), "こんにちは"),
        ("us-ascii", "こんにちは".encode("iso-2022-jp"), "こんにちは"),
    ],
)
def test_a_charset_by_another_name_or_with_a_vendors_characters(charset: str, data: bytes, expected: str) -> None:
    assert text(data, charset) == expected


@pytest.mark.parametrize(
    ("charset", "data", "expected"),
    [
        ("euc-jp", b"\xad \x8f\xad", "\ufffd \ufffd"),
        ("euc-jp", b"\xff\xff", "\ufffd\ufffd"),
        ("iso-2022-jp", b"\x1b$B\x29\x21-", "\ufffd\ufffd"),
        ("iso-2022-jp", b"a\xe9\xe8b", "a\ufffd\ufffdb"),
        ("\0", b"\xe9", "é"),
        ("unicode_escape", b"\\x", "\ufffd"),
    ],
)
def test_what_is_no_character_is_replaced_and_nothing_behind_it(charset: str, data: bytes, expected: str) -> None:
    assert text(data, charset) == expected


@pytest.mark.parametrize(
    ("field", "subject"),
    [
        (b"=?utf-8?Q?100%?= =?utf-8?Q?_sure??=", "100% sure?"),
        (b"=?utf-8?Q?a?b?==?utf-8?Q?c?d?=", "a?bc?d"),
        (b"=?utf-8?Q?why_not?", "=?utf-8?Q?why_not?"),
        (b"=?utf-8?Q?no_end =?utf-8?B?w6k=?=", "=?utf-8?Q?no_end é"),
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("cp1252"), "GrьЯe"),
        ("日本".encode("iso-2022-jp"), "日本"),
    ],
)
def test_a_question_mark_in_an_encoded_word_and_bytes_that_were_not_encoded(field: bytes, subject: str) -> None:
    mail = HEAD + b"Subject: " + field + b"\r\nContent-Type: text/plain; charset=windows-1251\r\n\r\n"
    assert parse(mail).email_subject == subject


def test_bytes_in_a_header_are_in_the_charset_of_the_first_text() -> None:
    head = HEAD.replace(b"Ann", "Аня".encode("koi8-r"))
    body = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n--b--"
    )
    assert parse(head + body).email_sender == "Аня <ann@example.com>"


@pytest.mark.parametrize(
    ("content_type", "html"),
    [
        (b"text/html", b'<meta charset="windows-1251">%s'),
        (b"text/html; charset=us-ascii", b"<META CONTENT='text/html; charset = x-cp1251' http-equiv=Content-Type>%s"),
        (b"text/html; charset=x-unknown", b'<?xml version="1.0" encoding="windows-1251"?><p>%s'),
        (b"text/html; charset=windows-1251", b"<meta charset=utf-8>%s"),
        (b"text/html", b"<meta charset=utf-16>%s"),
    ],
)
def test_html_that_declares_its_own_charset(content_type: bytes, html: bytes) -> None:
    codec = "utf-8" if b"utf-16" in html else "cp1251"
    mail = HEAD + b"Content-Type: " + content_type + b"\r\n\r\n" + html % "Привет".encode(codec)
    assert parse(mail).email_content == "Привет"


@pytest.mark.parametrize(
    ("transfer_encoding", "body"),
    [
        (b"base64 (as always)", b"Y2Fmw6k="),
        (b'"base64"', b"Y2Fmw6k="),
        (b"Base64, really", b"Y2Fmw6k="),
        (b"quoted-printable;", b"caf=C3=A9"),
        (b"QUOTED-PRINTABLE charset=utf-8", b"caf=C3=A9"),
        (b"8bit;", "café".encode()),
    ],
)
def test_a_transfer_encoding_with_something_behind_it(transfer_encoding: bytes, body: bytes) -> None:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " + transfer_encoding
    assert parse(HEAD + head + b"\r\n\r\n" + body).email_content == "café"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"aGVsbG8=\r\nd29ybGQ=\r\n", b"helloworld"),
        (b"YQ==\nYg==\nYw==\n\nSent to a list\n", b"abc"),
        (b"YQ==\n" + b"YWFh" * 4 + b"\n", b"a" * 13),
        (b"YQ==\nRegards, Anna\n", b"a"),
        (b"YQ==\nAnna\n", b"a"),
    ],
)
def test_base64_in_pieces_that_are_padded_each(data: bytes, expected: bytes) -> None:
    assert base64_bytes(data) == expected


CHINESE = b"\x1b$)A\x0eDc:C\x0f"  # "\u4f60\u597d" in ISO-2022-CN, which Python has no codec of


@pytest.mark.parametrize(
    ("charset", "data"), [("iso-2022-cn", CHINESE), ("x-nobody-knows", CHINESE), ("viscii", b"Ti\xaang Vi\x90t")]
)
def test_a_charset_that_nobody_knows_is_named_where_a_guess_would_lose_characters(charset: str, data: bytes) -> None:
    typed = b"Content-Type: text/plain; charset=" + charset.encode()
    with pytest.raises(UnreadableMail, match=r"charset.*ISO-2022-CN; save it in UTF-8"):
        parse(HEAD + typed + b"\r\n\r\n" + data)
    with pytest.raises(UnreadableMail, match="charset"):
        parse(HEAD + b"Subject: =?%s?B?%s?=\r\n\r\nHi" % (charset.encode(), b64encode(data)))


def test_a_text_that_is_not_shown_may_be_in_any_charset() -> None:
    parts = b"--b\r\n\r\nHi\r\n--b\r\nContent-Type: text/plain; charset=iso-2022-cn; name=a.txt\r\n\r\n"
    email = parse(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + CHINESE + b"\r\n--b--")
    assert email.email_content == "Hi"
