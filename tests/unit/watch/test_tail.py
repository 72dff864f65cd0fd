"""Counting what a log says, while it grows."""

from __future__ import annotations

from pathlib import Path

from sim.watch.tail import Tail, call, request_status


def test_each_line_is_counted_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    tail = Tail(log, request_status)
    assert tail.counts() == {}
    whole = '{"message": "request", "path": "/publish", "status": 200}\n'
    log.write_text(f"not JSON\n{whole}{whole[:20]}")
    assert tail.counts() == {"200": 1}
    with log.open("a") as file:
        file.write(
            whole[20:] + '{"message": "request", "path": "/ready", "status": 200}\n{"message": "draining"}\n[1]\n'
        )
    assert tail.counts() == {"200": 2}


def test_calls_are_counted_by_caller_operation_and_outcome(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    log.write_text('{"caller": "api", "service": "sqs", "operation": "SendMessage", "outcome": "lost"}\n')
    assert Tail(log, call).counts() == {("api", "SendMessage", "lost"): 1}
