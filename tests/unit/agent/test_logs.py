"""What containers write, on its way to CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.agent.logs import LogEvent, LogShipper, Stream
from sim.cluster.desired import Place
from sim.host.waiting import until


class Writing:
    """A container that writes another line whenever one was sent."""

    def __init__(self) -> None:
        self.number = 0

    def read(self) -> Sequence[LogEvent]:
        return [(0, f"line {self.number}")]

    def sent(self) -> None:
        self.number += 1

    def end(self) -> None:
        """It goes on."""

    def is_over(self) -> bool:
        return False


class Logs:
    """CloudWatch Logs, with what each stream was sent."""

    def __init__(self) -> None:
        self.sent: dict[str, int] = {}

    def logs(self, place: Place, keys: str) -> Logs:  # noqa: ARG002 - of any place
        return self

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:  # noqa: N803 - AWS's names
        """There is no limit."""

    def create_log_group(self, *, logGroupName: str) -> None:  # noqa: N803
        """There is no limit."""

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: Sequence[Mapping[str, Any]]) -> None:  # noqa: N803
        name = f"{logGroupName}/{logStreamName}"
        self.sent[name] = self.sent.get(name, 0) + len(logEvents)


def test_a_container_that_writes_all_the_time_leaves_others_their_turn() -> None:
    logs = Logs()
    shipper = LogShipper(logs)
    for name in ("one", "two"):
        shipper.ship(Stream(Place("a", "r"), "g", name), Writing())
    shipper.begin()
    try:
        until(lambda: logs.sent.get("g/two"), "a line of the second container", seconds=30, seen=lambda: logs.sent)
    finally:
        shipper.close()
