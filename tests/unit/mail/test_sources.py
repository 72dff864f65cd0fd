"""E-mails are found in the files in which mail programs keep them."""

from __future__ import annotations

import gzip
import mailbox
import os
import shutil
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest

from services.pipeline.message import Email
from sim.mail import SAMPLES, Found, UnreadableMail, read
from sim.mail.mbox import mails_of_mbox


def mail(subject: str, body: str = "Hello\n") -> bytes:
    return f"From: a@example.com\nDate: 21 Nov 1997 09:55:06 -0600\nSubject: {subject}\n\n{body}".encode()


def mbox(*mails: bytes) -> bytes:
    return b"".join(b"From a@example.com Fri Nov 21 15:55:06 1997\n" + each + b"\n" for each in mails)


def subjects(found: Iterator[Found], below: Path) -> dict[str, str]:
    """Where each mail was, below the folder, and its subject, or the reason up to its colon."""
    return {
        os.path.relpath(each.name, below): str(each.result).partition(":")[0]
        if isinstance(each.result, UnreadableMail)
        else each.result.email_subject
        for each in found
    }


def test_a_single_file_is_one_mail_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "letter").write_bytes(mail("one"))
    assert subjects(read(tmp_path / "letter"), tmp_path) == {"letter": "one"}


def test_an_mbox_is_its_mails_in_order(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_bytes(mbox(mail("one"), mail("two"), mail("three")))
    assert subjects(read(tmp_path / "inbox"), tmp_path) == {"inbox#1": "one", "inbox#2": "two", "inbox#3": "three"}


def test_a_mail_that_cannot_be_published_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_bytes(mbox(mail("one"), b"Subject: from nobody\n\n", mail("three")))
    assert subjects(read(tmp_path / "inbox"), tmp_path) == {
        "inbox#1": "one",
        "inbox#2": "no sender",
        "inbox#3": "three",
    }


def test_lines_that_begin_with_from_belong_to_their_mail(tmp_path: Path) -> None:
    body = "\nFrom 10:30 on Monday 21 May 2024.\n\n>From the archive\n>>From deeper\n> From a quotation\n"
    (tmp_path / "inbox").write_bytes(mbox(mail("one", body), mail("two")))
    first, second = (found.result for found in read(tmp_path / "inbox"))
    assert not isinstance(first, UnreadableMail)
    assert first.email_content == (
        "\nFrom 10:30 on Monday 21 May 2024.\n\nFrom the archive\n>From deeper\n> From a quotation\n"
    )
    assert not isinstance(second, UnreadableMail)


@pytest.mark.parametrize(
    "separator", [b"From - Fri Nov 21 15:55:06 1997\r\n", b"From \n", b"From a Fri Nov 21 15:55:06 +0000 1997\n"]
)
def test_the_separator_lines_of_other_programs_are_known(separator: bytes, tmp_path: Path) -> None:
    (tmp_path / "inbox").write_bytes(separator + mail("one") + b"\n" + separator + mail("two"))
    assert subjects(read(tmp_path / "inbox"), tmp_path) == {"inbox#1": "one", "inbox#2": "two"}


def test_what_python_writes_into_a_mailbox_is_read(tmp_path: Path) -> None:
    messages = []
    for subject, body in [("one", "From the start\n"), ("two", "ends without a line break")]:
        message = EmailMessage()
        message["From"] = "a@example.com"
        message["Date"] = "21 Nov 1997 09:55:06 -0600"
        message["Subject"] = subject
        message.set_content(body)
        messages.append(message)
    for box in (mailbox.mbox(tmp_path / "box"), mailbox.MH(tmp_path / "mh"), mailbox.Maildir(tmp_path / "dir")):
        for message in messages:
            box.add(message)
        box.close()
    for place in ("box", "mh", "dir"):
        results = [found.result for found in read(tmp_path / place)]
        contents = {each.email_subject: each.email_content for each in results if not isinstance(each, UnreadableMail)}
        assert contents == {"one": "From the start\n", "two": "ends without a line break\n"}


def maildir(path: Path, **mails: bytes) -> None:
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    for name, content in mails.items():
        place, _, file = name.partition("_")
        (path / place / file).write_bytes(content)


def test_a_maildir_is_its_mails_in_the_order_they_came_and_its_folders(tmp_path: Path) -> None:
    maildir(tmp_path, new_1=mail("one"), cur_2=mail("two"), new_3=mail("three"))
    (tmp_path / "tmp" / "4.eml").write_bytes(mail("half delivered"))
    maildir(tmp_path / ".Sent", cur_5=mail("sent"))
    (tmp_path / "cur" / ".hidden").write_bytes(mail("no mail"))
    (tmp_path / ".hidden.eml").write_bytes(mail("no mail"))
    (tmp_path / "subscriptions").write_text("Sent\n")
    found = subjects(read(tmp_path), tmp_path)
    assert list(found) == ["new/1", "cur/2", "new/3", ".Sent/cur/5"]
    assert found["cur/2"] == "two"
    assert (tmp_path / "new" / "1").exists()


def test_a_folder_is_searched_to_its_depth_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "Z.EML").write_bytes(mail("shouted"))
    (tmp_path / "a.eml").write_bytes(mail("first"))
    (tmp_path / "c").write_bytes(mbox(mail("boxed")))
    (tmp_path / "d.txt").write_text("no mail\n")
    (tmp_path / "e.txt").write_text("From here it is an hour to the sea.\n")
    maildir(tmp_path / "f", cur_1=mail("delivered"))
    (tmp_path / "g").symlink_to(tmp_path)
    found = subjects(read(tmp_path), tmp_path)
    assert list(found.items()) == [
        ("a.eml", "first"),
        ("b/Z.EML", "shouted"),
        ("c#1", "boxed"),
        ("f/cur/1", "delivered"),
    ]


def test_names_that_begin_with_a_dot_are_passed_over_unless_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail("seen"))
    (tmp_path / "._a.eml").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "b.eml").write_bytes(mail("thrown away"))
    assert subjects(read(tmp_path), tmp_path) == {"a.eml": "seen"}
    assert subjects(read(tmp_path / ".trash"), tmp_path) == {".trash/b.eml": "thrown away"}


@pytest.mark.parametrize("missing", ["cur", "new", "tmp"])
def test_a_maildir_that_has_lost_a_folder_is_one_still(missing: str, tmp_path: Path) -> None:
    maildir(tmp_path, cur_1=mail("seen"), new_2=mail("unseen"))
    shutil.rmtree(tmp_path / missing)
    expected = {"cur/1": "seen", "new/2": "unseen"}
    assert subjects(read(tmp_path), tmp_path) == {
        name: subject for name, subject in expected.items() if not name.startswith(missing)
    }


def test_the_files_of_mh_and_of_apple_mail_are_mails(tmp_path: Path) -> None:
    one = mail("of Apple Mail", "text\n")
    (tmp_path / "1.emlx").write_bytes(b"%d      \n%s<?xml version='1.0'?><plist/>" % (len(one), one))
    (tmp_path / "2.partial.EMLX").write_bytes(b"%d\r\n%s" % (9 * len(one), one))
    (tmp_path / "3.emlx").write_bytes(b"9" * 5000 + b"\n" + one)
    (tmp_path / "12").write_bytes(mail("of MH"))
    (tmp_path / ",13").write_bytes(mail("deleted"))
    (tmp_path / ".mh_sequences").write_text("unseen: 12\n")
    assert subjects(read(tmp_path), tmp_path) == {
        "1.emlx": "of Apple Mail",
        "12": "of MH",
        "2.partial.EMLX": "of Apple Mail",
        "3.emlx": "of Apple Mail",
    }
    [apple] = [found.result for found in read(tmp_path / "1.emlx")]
    assert isinstance(apple, Email)
    assert apple.email_content == "text\n"


@pytest.mark.parametrize("name", ["an empty folder", "an empty Maildir", "no mail in it"])
def test_where_nothing_is_found_that_is_what_is_found(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    if "Maildir" in name:
        maildir(folder)
    elif "no mail" in name:
        (folder / "readme.txt").write_text("Mails are elsewhere.\n")
        (folder / "an empty mbox").touch()
    assert subjects(read(folder), tmp_path) == {
        name: "no e-mail is in it; give .eml files, mboxes, Maildirs or MH folders"
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty; there is nothing to publish"),
        (b"\n \n", "empty; there is nothing to publish"),
        (gzip.compress(mail("packed"), mtime=0), "compressed with gzip; publish `<(zcat FILE)` instead"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Outlook's .msg; save the mail as .eml"),
        (b"hello", "no sender"),
    ],
)
def test_a_file_that_is_no_mail_says_what_to_do(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(content)
    assert subjects(read(tmp_path / "a.eml"), tmp_path) == {"a.eml": reason}
    (tmp_path / "b.eml").write_bytes(mail("read"))
    assert subjects(read(tmp_path), tmp_path) == {"a.eml": reason, "b.eml": "read"}


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    """As `/dev/stdin` and `<(zcat inbox.gz)` are."""
    pipe = tmp_path / "pipe"
    for content, expected in [
        (mbox(mail("one"), mail("two")), {"pipe#1": "one", "pipe#2": "two"}),
        (mail("one"), {"pipe": "one"}),
        (b"", {"pipe": "empty; there is nothing to publish"}),
    ]:
        os.mkfifo(pipe)
        with ThreadPoolExecutor(1) as pool:
            written = pool.submit(pipe.write_bytes, content)
            assert subjects(read(pipe), tmp_path) == expected
            written.result()
        pipe.unlink()


def test_a_pipe_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.eml")
    (tmp_path / "b.eml").write_bytes(mail("read"))
    found = subjects(read(tmp_path), tmp_path)
    assert found["b.eml"] == "read"


def test_a_path_that_is_not_there_is_found_as_such(tmp_path: Path) -> None:
    [found] = read(tmp_path / "nothing")
    assert found.name == str(tmp_path / "nothing")
    assert str(found.result).startswith("there is no file")
    [found] = read(tmp_path / ("n" * 5000))
    assert str(found.result).startswith("cannot be read: File name too long")


def test_a_file_that_is_gone_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail("first"))
    maildir(tmp_path / "b", cur_2=mail("second"))
    (tmp_path / "b" / "cur" / "1").symlink_to("gone")
    (tmp_path / "c.eml").symlink_to("c.eml")
    (tmp_path / "d.eml").write_bytes(mail("third"))
    reason = "there is no file or folder of this name; check the path"
    assert subjects(read(tmp_path), tmp_path) == {
        "a.eml": "first",
        "b/cur/1": reason,
        "b/cur/2": "second",
        "c.eml": reason,
        "d.eml": "third",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail("closed"))
    (tmp_path / "a.eml").chmod(0)
    assert subjects(read(tmp_path), tmp_path) == {"a.eml": "cannot be read"}


def test_an_mbox_larger_than_memory_is_read_mail_by_mail(tmp_path: Path) -> None:
    """Ten megabytes of mails, of which never more than one is held."""
    (tmp_path / "inbox").write_bytes(mbox(mail("x", ("x" * 70 + "\n") * 30)) * 5000)
    with (tmp_path / "inbox").open("rb") as file:
        tracemalloc.start()
        try:
            count = sum(1 for _ in mails_of_mbox(file))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == 5000
    assert peak < 1_000_000


def test_a_name_that_is_no_text_can_still_be_printed(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.eml"))
    path.write_bytes(mail("one"))
    [found] = read(path)
    assert found.name.encode().endswith("\ufffd.eml".encode())


def test_all_samples_but_the_one_without_a_date_can_be_published() -> None:
    found = list(read(SAMPLES))
    refused = {Path(each.name).name: str(each.result) for each in found if isinstance(each.result, UnreadableMail)}
    assert list(refused) == ["postcard-without-a-date.eml"]
    assert refused["postcard-without-a-date.eml"].startswith("no date")
    texts = [each.result.email_content for each in found if not isinstance(each.result, UnreadableMail)]
    assert len(texts) == 12
    assert all(text.strip() and "\ufffd" not in text for text in texts)
