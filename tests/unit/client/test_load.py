"""Clients that publish steadily count what fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim.client import load
from sim.client.api import ApiAnswer, Client
from sim.host.waiting import until


class _EverySecondFails(Client):
    """A client that no server answers: every second publish is a 503."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "token")
        self._answers: Iterator[int] = iter([200, 503] * 10_000)

    def publish(self, *_: object) -> ApiAnswer:
        return ApiAnswer(next(self._answers), {"detail": "not now", "message_id": "m-1"}, {})


def test_every_request_that_fails_is_counted_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PAUSE_SECONDS", 0.001)
    with load.publishing(_EverySecondFails(), clients=1) as seen:
        until(lambda: seen.requests >= 20, "twenty requests", seconds=10)
    assert len(seen.failures) == seen.requests // 2
    assert seen.accepted == ["m-1"] * (seen.requests - len(seen.failures))
    assert f"{seen.requests} requests, {len(seen.failures)} failed: 503: not now; 99% within" in str(seen)


def test_an_outage_is_from_the_first_to_the_last_request_that_fails() -> None:
    assert load.Load().outage == 0
    assert load.Load([load.Exchange(began, 1.0, "503") for began in (7.0, 5.0, 6.5)]).outage == 2.0


def test_without_a_request_there_is_nothing_to_fail() -> None:
    assert str(load.Load()) == "0 requests, 0 failed; 99% within 0 ms"
