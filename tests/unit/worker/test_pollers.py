"""How many pollers a worker has, and how often they ask."""

from __future__ import annotations

from collections import Counter

from services.worker.settings import Settings
from sim.world.virtual_time import WorldRuntime
from tests.unit import wire
from tests.unit.worker.cloud import HOUR, S3_DOWN, Cloud, assert_all_stored, takes


def test_a_deep_queue_is_drained_by_all_pollers_at_once(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = takes(1, runtime)
    cloud.send(*bodies)
    cloud.worker().start()
    runtime.sleep(10)
    assert_all_stored(cloud, bodies)
    at_once = cloud.settings.pollers * cloud.settings.receive_batch_size
    assert Counter(cloud.times("PutObject")) == dict.fromkeys(range(len(bodies) // at_once), at_once)


def test_a_full_receive_opens_another_poller_and_an_empty_one_closes_it(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    cloud.fault = takes(15, runtime)
    cloud.send(*bodies[:10])
    cloud.worker().start()
    runtime.sleep(60)
    assert cloud.times("ReceiveMessage") == [0, 0, 15, 35, 55]


def test_a_receive_that_is_not_full_opens_none(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = takes(15, runtime)
    cloud.send(*bodies[:9])
    cloud.worker().start()
    runtime.sleep(20)
    assert cloud.times("ReceiveMessage") == [0, 15]


def test_a_message_that_cannot_be_stored_holds_up_no_other(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    def fault(operation: str, body: str) -> wire.Sent | None:
        return S3_DOWN if operation == "PutObject" and '"email_subject":"0"' in body else None

    cloud.fault = fault
    cloud.send(bodies[0])
    cloud.worker().start()
    runtime.sleep(cloud.settings.visibility_timeout_seconds)
    cloud.send(*bodies[1:])
    runtime.sleep(cloud.settings.receive_wait_seconds)
    assert len(cloud.objects) == len(bodies) - 1


def test_an_empty_queue_is_polled_by_one_that_never_ends(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    cloud.send(*bodies)
    cloud.worker().start()
    runtime.sleep(60)
    polls = len(cloud.times("ReceiveMessage"))
    runtime.sleep(HOUR)
    assert len(cloud.times("ReceiveMessage")) - polls == HOUR / cloud.settings.receive_wait_seconds
    assert runtime.monotonic() - cloud.signs[-1] <= cloud.settings.receive_wait_seconds, "the others have ended well"
    cloud.send(bodies[0])
    runtime.sleep(20)
    assert_all_stored(cloud, bodies)


def test_the_poll_interval_is_kept(runtime: WorldRuntime, settings: Settings) -> None:
    slow = settings.model_copy(update={"poll_interval_seconds": 7, "receive_wait_seconds": 3})
    cloud = Cloud(runtime, slow)
    cloud.worker().start()
    runtime.sleep(35)
    assert cloud.times("ReceiveMessage") == [0, 10, 20, 30]
