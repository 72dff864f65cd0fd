"""Mails and mailboxes as programs have really written them: each file stands for a kind that was once read wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.pipeline.message import Email
from sim.mail import parse, read

CASES = Path(__file__).parent / "cases"
EXPECTED: dict[str, dict[str, str]] = json.loads((CASES / "expected.json").read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_a_mail_is_read_as_it_was_meant(name: str) -> None:
    email = parse((CASES / f"{name}.eml").read_bytes()).model_dump()
    got = {field: email[field].rstrip("\n") for field in EXPECTED[name]}
    assert got == {field: text.rstrip("\n") for field, text in EXPECTED[name].items()}


def test_every_mail_has_an_expectation() -> None:
    assert {path.stem for path in CASES.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize(
    ("mailbox", "subjects"),
    [
        ("three-address-only.mbox", ["s1", "s2", "s3"]),
        ("three-after-bom.mbox", ["s1", "s2", "s3"]),
        ("three-comma.mbox", ["s1", "s2", "s3"]),
        ("three-iso-date.mbox", ["s1", "s2", "s3"]),
        ("one-mboxcl2.mbox", ["cl"]),
        ("one-with-a-patch-in-it.mbox", ["patch"]),
        ("applemail", ["s1"]),
        ("maildir-without-new", ["s1"]),
        ("mh", ["s1"]),
    ],
)
def test_a_mailbox_has_the_mails_that_were_put_into_it(mailbox: str, subjects: list[str]) -> None:
    results = [found.result for found in read(CASES / "mailboxes" / mailbox)]
    assert [result.email_subject if isinstance(result, Email) else str(result) for result in results] == subjects


def test_a_line_that_begins_with_from_stays_in_its_mail() -> None:
    [measured] = read(CASES / "mailboxes" / "one-mboxcl2.mbox")
    assert isinstance(measured.result, Email)
    assert measured.result.email_content == "one\n\nFrom b@example.com Thu Nov 20 15:55:06 1997 I heard nothing\ntwo\n"
