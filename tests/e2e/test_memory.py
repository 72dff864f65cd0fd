"""A worker that the kernel ends for its memory loses nothing."""

from __future__ import annotations

import pytest

from services.pipeline.message import Email
from sim.client.tracker import EmailTracker
from sim.host.waiting import until
from sim.targets.target import Capability, Target

pytestmark = pytest.mark.needs(Capability.OBJECTS, Capability.QUEUE, Capability.LIMIT_MEMORY)

_IN_ALL = 30_000_000
"""Bytes."""


@pytest.mark.timeout(180)
def test_a_worker_out_of_memory_loses_nothing(target: Target, tracker: EmailTracker, email: Email) -> None:
    target.limit_memory("worker", 4)
    size = min(target.data_plane.message_max_bytes() - 1000, 750_000)
    large = (
        email.model_copy(update={"email_content": f"{number:04} " * (size // 5)}) for number in range(_IN_ALL // size)
    )
    tracker.publish_all(large, concurrency=8)
    until(lambda: not target.runs("worker"), "the worker to be out of memory", seconds=60, seen=target.data_plane.depth)
    target.start("worker")
    tracker.verify()
