"""A mailbox gives back the mails that were put into it, and no bytes make the reading of one fail."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from services.pipeline.message import Email
from sim.client.api import ApiAnswer, Client
from sim.client.files import publish_files
from sim.mail import UnreadableMail, read
from sim.mail.head import mended
from sim.mail.mbox import mails_of_mbox

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


fragments = st.sampled_from(
    [
        *(b"\n", b"\n\n", b"\r", b"\0", b"text", b"From ", b">From ", b"From a Fri Nov 21 15:55:06 1997\n"),
        *(b"From: a\n", b"Date: 1 Jan 2000 00:00 GMT\n", b"Content-Length: 9\n", b"80\n"),
        *(b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b"),
    ]
)


@given(
    content=st.binary(max_size=300) | st.lists(fragments).map(b"".join), name=st.sampled_from(["a.eml", "a.emlx", "7"])
)
def test_any_file_is_emails_and_reasons(content: bytes, name: str) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        for path in (Path(folder), Path(folder) / name):
            results = [found.result for found in read(path)]
            assert results
            assert all(isinstance(result, Email | UnreadableMail) for result in results)


class Accepting(Client):
    """A client that has sent every e-mail at once."""

    def publish_surely(self, email: Email) -> ApiAnswer:
        return ApiAnswer(200, {"message_id": email.email_subject}, {})


good = st.integers(0, 99).map(lambda number: b"From: a\nDate: 1 Jan 2000 00:00 GMT\nSubject: %d\n\ntext\n" % number)
bad = st.sampled_from([b"Subject: from nobody\n\n", b"From: a\nDate: yesterday\n\n", b"no mail\n"])


@given(st.lists(good | bad, min_size=1, max_size=8))
def test_every_mail_is_published_or_refused(mails: list[bytes]) -> None:
    """As many as there are, in an mbox and as files of their own."""
    separator = b"From ann@example.com Fri Nov 21 15:55:06 1997\n"
    dated = [b"Subject: from nobody" not in mail and b"no mail" not in mail for mail in mails]
    with TemporaryDirectory() as folder:
        mbox, single = Path(folder) / "mbox", Path(folder) / "single"
        mbox.write_bytes(b"".join(separator + mail + b"\n" for mail in mails))
        single.mkdir()
        for number, mail in enumerate(mails):
            (single / f"{number}.eml").write_bytes(mail)
        client = Accepting("http://127.0.0.1:9", "token")
        for path, expected in ((mbox, sum(dated)), (single, sum(b"1 Jan" in mail for mail in mails))):
            outcomes = list(publish_files(client, [path], concurrency=2))
            assert len(outcomes) == len(mails)
            assert sum(outcome.published for outcome in outcomes) == expected


names = st.sampled_from(["From", "Date", "Subject", "X-Y", "Received", "MIME-Version"])
values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f\x85\xa0"), max_size=20)


@given(st.lists(st.tuples(names, values), min_size=1), st.binary(max_size=60), st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_head_that_is_well_formed_is_left_as_it_is(fields: list[tuple[str, str]], text: bytes, line_end: str) -> None:
    head = "".join(f"{name}: {value}{line_end}" for name, value in [*fields, ("Date", ""), ("From", "")])
    raw = head.encode("latin-1") + line_end.encode() + text
    assert mended(raw) == raw
