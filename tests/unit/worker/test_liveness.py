"""When a worker shows that it lives, and when it falls silent."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sim.world.virtual_time import WorldRuntime
from tests.unit import wire
from tests.unit.worker.cloud import HOUR, OUTAGE, S3_DOWN, Cloud, assert_all_stored, failing, no_fault


@pytest.mark.parametrize(
    ("operation", "read_timeout"), [("PutObject", 5), ("ReceiveMessage", 25), ("DeleteMessageBatch", 25)]
)
def test_an_outage_does_not_look_like_a_stuck_worker(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], operation: str, read_timeout: float
) -> None:
    def fault(called: str, _body: str) -> wire.Sent | None:
        if called != operation:
            return None
        runtime.sleep(read_timeout)
        return wire.READ_TIMEOUT

    cloud.fault = fault
    cloud.send(*bodies[:3])
    cloud.worker().start()
    runtime.sleep(OUTAGE)
    silences = [after - before for before, after in pairwise([*cloud.signs, runtime.monotonic()])]
    assert max(silences) < cloud.settings.heartbeat_seconds


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchBucket")])
def test_a_worker_whose_writes_s3_refuses_for_good_falls_silent_until_they_are_taken(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], status: int, code: str
) -> None:
    cloud.fault = failing("PutObject", wire.s3_error(status, code))
    cloud.send(*bodies[:3])
    cloud.worker().start()
    limit = cloud.settings.refused_seconds
    runtime.sleep(limit + cloud.settings.heartbeat_seconds)
    assert limit - 10 < cloud.signs[-1] <= limit + 1, "it lives on while the refusals are young"
    cloud.fault = no_fault
    runtime.sleep(30)
    assert_all_stored(cloud, bodies[:3])
    assert cloud.signs[-1] > limit + cloud.settings.heartbeat_seconds


@pytest.mark.parametrize(
    "answer",
    [
        S3_DOWN,
        wire.s3_error(500, "InternalError"),
        wire.s3_error(503, "SlowDown"),
        wire.s3_error(400, "RequestTimeout"),
        wire.READ_TIMEOUT,
    ],
)
def test_an_outage_of_s3_never_silences_a_worker_even_after_refusals(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str], answer: wire.Sent
) -> None:
    cloud.fault = failing("PutObject", wire.s3_error(403, "AccessDenied"))
    cloud.send(*bodies[:3])
    cloud.worker().start()
    runtime.sleep(cloud.settings.refused_seconds / 2)
    cloud.fault = failing("PutObject", answer)
    runtime.sleep(4 * cloud.settings.refused_seconds)
    silences = [after - before for before, after in pairwise([*cloud.signs, runtime.monotonic()])]
    assert max(silences) < cloud.settings.heartbeat_seconds


def test_a_poller_that_is_stuck_silences_the_worker(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    stuck = runtime.event()

    def fault(operation: str, body: str) -> None:
        if operation == "PutObject" and '"email_subject":"3"' in body:
            stuck.wait()

    cloud.fault = fault
    cloud.send(*bodies)
    cloud.worker().start()
    runtime.sleep(HOUR)
    assert cloud.signs[-1] <= cloud.settings.heartbeat_seconds
    assert len(cloud.objects) == len(bodies) - 1, "the others went on"
