"""A worker that is stopped finishes what it stores and gives back the rest."""

from __future__ import annotations

from sim.world.virtual_time import WorldRuntime
from tests.unit.worker.cloud import HOUR, S3_DOWN, Cloud, assert_all_stored, failing, takes


def test_stop_ends_an_idle_worker_at_once(cloud: Cloud, runtime: WorldRuntime) -> None:
    worker = cloud.worker()
    worker.start()
    runtime.sleep(1)
    worker.stop()
    assert worker.wait_stopped(25)
    assert runtime.monotonic() == 1, "a long poll was under way"


def test_stop_lets_what_is_being_stored_be_finished(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = takes(3, runtime)
    cloud.send(*bodies[:5])
    worker = cloud.worker()
    worker.start()
    runtime.sleep(1)
    worker.stop()
    assert worker.wait_stopped(25)
    assert runtime.monotonic() == 3
    assert_all_stored(cloud, bodies[:5])


def test_stop_gives_back_what_cannot_be_stored(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    cloud.fault = failing("PutObject", S3_DOWN)
    cloud.send(*bodies[:5])
    worker = cloud.worker()
    worker.start()
    runtime.sleep(300)
    worker.stop()
    assert worker.wait_stopped(25)
    assert runtime.monotonic() == 300
    assert [message.visible_at for message in cloud.messages] == [300] * 5, "another worker can have them now"
    assert cloud.done == []


def test_stop_gives_back_what_a_long_poll_still_brings(cloud: Cloud, runtime: WorldRuntime, bodies: list[str]) -> None:
    worker = cloud.worker()
    worker.start()
    runtime.sleep(5)
    worker.stop()
    cloud.send(*bodies[:5])
    runtime.sleep(20)
    assert [(message.receive_count, message.visible_at) for message in cloud.messages] == [(1, 5)] * 5
    assert cloud.done == []
    assert cloud.times("ReceiveMessage") == [0], "no new receive"


def test_what_is_in_hand_at_the_end_of_the_time_is_reported(
    cloud: Cloud, runtime: WorldRuntime, bodies: list[str]
) -> None:
    cloud.fault = takes(HOUR, runtime)
    cloud.send(bodies[0])
    worker = cloud.worker()
    worker.start()
    runtime.sleep(1)
    worker.stop()
    assert not worker.wait_stopped(25)
    assert runtime.monotonic() == 26
