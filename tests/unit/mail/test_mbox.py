"""The mails of an mbox are told apart by its separator lines, and by nothing that only looks like one."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from services.pipeline.message import Email
from sim.mail import read
from sim.mail.mbox import date_of, is_mbox, mails_of_mbox

HEAD = "From: a@example.com\nDate: Fri, 21 Nov 1997 09:55:06 -0600\nSubject: x\n"
MAIL = HEAD + "\ntext\n\n"
SEPARATOR = "From a@example.com Fri Nov 21 15:55:06 1997\n"
OF_GIT = "From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n"


def mails(text: str) -> list[bytes]:
    file = BytesIO(text.encode())
    return list(mails_of_mbox(file)) if is_mbox(file) else []


@pytest.mark.parametrize(
    "separator",
    [
        "From a@example.com",
        "From ",
        "From -",
        "From a@example.com Fri, Nov 21 15:55:06 1997",
        "From a@example.com Fri, 21 Nov 1997 15:55:06 +0000",
        "From a@example.com 1997-11-21 15:55:06",
        "From a@example.com 1997-11-21T15:55:06Z",
        "From a@example.com Fri Nov 21 15:55:06 UTC 1997",
        "From a@example.com Fri Nov 21 15:55:06 1997 +0000",
        "From a@example.com Fri Nov 21 15:55 1997",
        "From a Fri Nov 21 15:55:06 1997 remote from b",
        "From Ann Other <a@example.com> Fri Nov 21 15:55:06 1997",
        "From Fri Nov 21 15:55:06 1997",
        OF_GIT.strip(),
    ],
)
def test_a_separator_line_as_programs_write_it(separator: str) -> None:
    for line_end in ("\n", "\r\n"):
        text = (separator + "\n" + MAIL).replace("\n", line_end)
        assert len(mails(text * 3)) == 3
        assert len(mails("\ufeff" + text * 3)) == 3


@pytest.mark.parametrize(
    "line",
    [
        "From here it is an hour to the sea.",
        "From 10:30 on Monday 21 May 2024.",
        "From b@example.com Thu Nov 20 15:55:06 1997 I heard nothing",
        "From the meeting on 21 Nov 1997 15:55:06",
        "From",
        OF_GIT.strip(),
    ],
)
@pytest.mark.parametrize("before", ["", "\n"])
@pytest.mark.parametrize("after", ["", "\n", "and so on\n"])
def test_a_line_of_the_text_is_no_separator(line: str, before: str, after: str) -> None:
    text = "one\n" + before + line + "\n" + after
    assert len(mails(SEPARATOR + HEAD + "\n" + text + "\n" + SEPARATOR + MAIL)) == 2


def test_a_patch_is_no_separator_even_with_its_head_behind_it() -> None:
    assert len(mails(SEPARATOR + HEAD + "\nHere it is:\n\n" + OF_GIT + MAIL + SEPARATOR + MAIL)) == 2


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n" + SEPARATOR + MAIL, SEPARATOR + MAIL])
def test_a_content_length_that_is_right_is_the_end_of_the_mail(end: str) -> None:
    text = "one\n\n" + SEPARATOR + HEAD + ">From the author\ntwo\n"
    first, *others = mails(SEPARATOR + HEAD + f"Content-Length: {len(text)}\n\n" + text + end)
    assert first.decode().partition("\n\n")[2].strip() == text.strip()
    assert len(others) == (SEPARATOR in end)


@pytest.mark.parametrize("length", [0, 1, 3, 12, 10**9, 10**17])
def test_a_content_length_that_is_wrong_is_passed_over(length: int) -> None:
    text = SEPARATOR + HEAD + f"Content-Length: {length}\n\none\n\n" + SEPARATOR + MAIL
    assert len(mails(text)) == 2
    assert b"".join(mails(text)).replace(b"\n", b"") == text.replace("\n", "").encode()


@pytest.mark.parametrize("first", ["", SEPARATOR])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_mmdf_mailbox_is_its_mails(first: str, line_end: str, tmp_path: Path) -> None:
    line = "\x01\x01\x01\x01\n"
    text = "one\n\n" + SEPARATOR + HEAD + "two\n"
    mailbox = (line + first + HEAD + "\n" + text + line) * 3
    (tmp_path / "inbox").write_bytes(mailbox.replace("\n", line_end).encode())
    results = [found.result for found in read(tmp_path / "inbox")]
    assert [result.email_content for result in results if isinstance(result, Email)] == [text] * 3


def test_an_mbox_in_utf_16_is_its_mails(tmp_path: Path) -> None:
    text = SEPARATOR + HEAD + "Content-Type: text/plain; charset=latin1\n\nGrüße\n\n"
    (tmp_path / "inbox").write_bytes((text * 2).encode("utf-16"))
    results = [found.result for found in read(tmp_path / "inbox")]
    assert [result.email_content for result in results if isinstance(result, Email)] == ["Grüße\n"] * 2


@pytest.mark.parametrize(
    ("separator", "moment"),
    [
        ("From a@example.com 1997-11-21 15:55:06", 880127706),
        ("From - Fri Nov 21 15:55:06 1997", 880127706),
        ("From a@example.com", None),
        ("", None),
    ],
)
def test_the_date_of_a_separator_line(separator: str, moment: int | None) -> None:
    assert date_of(separator.encode()) == moment
