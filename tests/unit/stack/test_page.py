"""The live page as a part of the stack: it starts when it is asked for, and again when it has ended."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.host.identity import start_of
from sim.host.waiting import until
from sim.stack import page
from sim.stack.page import PagePart

SECONDS = 10
ANSWERS_ONCE = """\
import socket, sys
server = socket.socket(fileno=int(sys.argv[2]))
while True:
    caller, _ = server.accept()
    caller.sendall(b'here')
    caller.close()
"""


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PagePart]:
    """A part whose program stands for the page's server."""
    (tmp_path / "answering.py").write_text(ANSWERS_ONCE)
    monkeypatch.setattr(page, "_MODULE", "answering")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with PagePart(tmp_path) as made:
        yield made


def ask(part: PagePart) -> bytes:
    """What the page answers, while the part is kept."""
    with socket.create_connection(("127.0.0.1", part.address.port), SECONDS) as caller:
        part.wait(SECONDS)
        return caller.recv(10)


def test_nothing_runs_until_somebody_asks(part: PagePart) -> None:
    assert not part.wait(0)
    assert not part.processes
    assert ask(part) == b"here"
    [process] = part.processes
    assert process.starts == 1
    assert ask(part) == b"here"
    assert process.starts == 1


def test_one_that_has_ended_starts_again_for_the_next_caller(part: PagePart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_AGAIN_SECONDS", 0)
    ask(part)
    [process] = part.processes
    process.kill()
    assert part.wait(0), "its end is news for the state file"
    assert not part.wait(0), "nobody asks"
    assert ask(part) == b"here"
    assert process.starts == 2


def test_one_that_ends_at_once_is_not_started_all_the_time(part: PagePart) -> None:
    ask(part)
    [process] = part.processes
    process.kill()
    with socket.create_connection(("127.0.0.1", part.address.port), SECONDS):
        assert part.wait(0)
        assert not part.wait(0)
    assert process.starts == 1


def test_its_process_ends_with_it(part: PagePart) -> None:
    ask(part)
    pid = part.processes[0].pid
    assert pid is not None
    part.__exit__()
    until(lambda: start_of(pid) is None, "the end of its process", seconds=SECONDS)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", part.address.port), SECONDS)
