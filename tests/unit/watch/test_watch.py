"""When the page looks at the stack: while somebody looks at the page, and not otherwise."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any, NoReturn

import pytest

from sim.host.waiting import until
from sim.stack.lifecycle import NothingRuns
from sim.targets.target import Progress
from sim.watch import server, watch
from sim.watch.observed import Observation
from sim.watch.wanted import Restore, Wanted
from sim.watch.watch import Watch
from tests.unit.watch.seen import AT, cluster, observation

SECONDS = 10
LOOK = 0.02


class Stack:
    """Stands for a stack, and counts how often it is asked."""

    def __init__(self) -> None:
        self.looks = 0
        self.checks = 0
        self.ended = threading.Event()

    def check(self) -> None:
        self.checks += 1
        if self.ended.is_set():
            raise NothingRuns("it was ended")

    def look(self) -> Observation:
        self.looks += 1
        return observation(cluster(), AT + self.looks, objects=self.looks)

    def look_again(self, last: Observation, trouble: str) -> NoReturn:
        raise AssertionError(last, trouble)

    def detail(self, task: str, seen: Observation) -> NoReturn:
        raise AssertionError(task, seen)

    def perform(self, wanted: Wanted, progress: Progress) -> str:
        progress("it is done")
        return str(wanted)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setattr(watch, "_SECONDS", LOOK)
    monkeypatch.setattr(server, "_QUIET_SECONDS", LOOK)
    return Stack()


@contextmanager
def events(page: Watch) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of a page that is open, the empty ones left out."""
    address, _, token = page.link.partition("/#")
    with closing(HTTPConnection(address.removeprefix("http://"), timeout=SECONDS)) as connection:
        connection.request("GET", f"/events?token={token}")
        with connection.getresponse() as answer:
            read = (json.loads(line.removeprefix(b"data: ")) for line in answer if line.startswith(b"data: "))
            yield (each for each in read if each)


def quiet(stack: Stack) -> None:
    """Waits until the stack is not asked any more."""

    def asked() -> bool:
        before, checks = stack.looks, stack.checks
        until(lambda: stack.checks >= checks + 5, "five checks", seconds=SECONDS)
        return stack.looks > before

    until(lambda: not asked(), "no look any more", seconds=SECONDS, seen=lambda: stack.looks)


def test_a_page_that_nobody_has_open_asks_nothing(stack: Stack) -> None:
    with Watch(stack) as page:
        quiet(stack)
        with events(page) as read:
            assert next(read)["bucket"]["objects"] == stack.looks > 1, "not what was seen before somebody looked"
            assert next(read)["bucket"]["objects"] > 2
        quiet(stack)


def test_what_was_done_by_the_page_is_still_there_when_it_is_opened_again(stack: Stack) -> None:
    with Watch(stack) as page:
        with events(page) as read:
            next(read)
        page._perform(Restore("restore"))
        quiet(stack)
        with events(page) as read:
            assert "it is done" in [each["text"] for each in next(read)["moments"].values()]


def test_the_end_of_the_stack_is_seen_with_nobody_there(stack: Stack) -> None:
    with Watch(stack) as page:
        stack.ended.set()
        assert page.wait() == "it was ended"
