"""The clients of a world try again by the same policy as the kit's own client."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sim.client.retry import ATTEMPTS
from sim.history.events import Event, Invoked, PublishOutcome
from sim.world.clients import Habit, WorldClient
from sim.world.instances import Exchange
from sim.world.virtual_time import WorldRuntime


class Busy:
    """A load balancer before an API that asks for 7 seconds of patience."""

    def route(self, exchange: Exchange) -> None:
        exchange.end(503, b"", {"retry-after": "7"})


def test_a_client_of_a_world_waits_as_long_as_the_api_asks(runtime: WorldRuntime) -> None:
    events: list[Event] = []
    balancer: Any = Busy()
    client = WorldClient("c1", Habit.CAREFUL, lambda: "token", balancer, runtime, events.append)
    assert client.publish() is PublishOutcome.FAIL
    sent = [event.at for event in events if isinstance(event, Invoked)]
    assert len(sent) == ATTEMPTS
    assert all(after - before >= 7 for before, after in pairwise(sent))
