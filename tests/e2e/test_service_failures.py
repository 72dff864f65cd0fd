"""The services are killed, stopped and paused in the middle of their work: nothing is lost, nothing doubled."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime

import pytest

from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.tracker import EmailTracker
from sim.host.waiting import until
from sim.targets.target import FAST, Capability, Target

pytestmark = [
    pytest.mark.needs(Capability.OBJECTS, Capability.QUEUE, Capability.STOP_SERVICE),
    pytest.mark.timeout(180),
]


def publish_with_the_worker_away(target: Target, tracker: EmailTracker, emails: list[Email]) -> None:
    target.terminate("worker")
    tracker.publish_all(emails)
    target.start("worker")


def until_some_are_stored(target: Target, tracker: EmailTracker) -> None:
    """Returns with the worker in the middle: some stored and deleted, and others not."""

    def left() -> int:
        depth = target.data_plane.depth()
        return depth.visible + depth.in_flight

    until(lambda: left() < len(tracker.accepted), "the first delete", seconds=20, seen=target.data_plane.depth)
    assert left(), "the worker was done before it could be disturbed"


@pytest.mark.resources
def test_a_worker_killed_in_the_middle_of_a_batch(target: Target, tracker: EmailTracker, emails: list[Email]) -> None:
    publish_with_the_worker_away(target, tracker, emails)
    until_some_are_stored(target, tracker)
    target.kill("worker")
    assert not target.data_plane.depth().empty
    target.start("worker")
    tracker.verify()


def test_a_worker_terminated_in_the_middle_finishes_what_it_began(
    target: Target, tracker: EmailTracker, emails: list[Email]
) -> None:
    publish_with_the_worker_away(target, tracker, emails)
    until_some_are_stored(target, tracker)
    assert target.terminate("worker") == 0
    stored = len(tracker.object_keys())
    depth = target.data_plane.depth()
    assert stored + depth.visible + depth.in_flight == len(emails), "what was begun was not finished and deleted"
    target.start("worker")
    tracker.verify()


@pytest.mark.needs(Capability.PAUSE_SERVICE)
def test_a_worker_paused_past_the_visibility_timeout(
    target: Target, tracker: EmailTracker, emails: list[Email]
) -> None:
    publish_with_the_worker_away(target, tracker, emails)
    until_some_are_stored(target, tracker)
    target.pause("worker")
    until(lambda: target.data_plane.depth().in_flight == 0, "the messages in hand to be visible again", seconds=20)
    target.resume("worker")
    tracker.verify()


def test_an_idle_worker_does_not_wait_for_its_long_poll(target: Target) -> None:
    target.drain(30)
    before = len(target.trail())
    assert target.terminate("worker") == 0

    def ends() -> list[float]:
        """When polls ended for the gateway. A hang-up may get lost with a container's network: LocalStack answers."""
        polls = [entry for entry in target.trail()[before:] if entry.operation == "ReceiveMessage"]
        return [poll.started + poll.milliseconds / 1000 for poll in polls]

    last = [line for line in target.logs()["worker"].splitlines() if '"stopped"' in line][-1]
    stopped = datetime.fromisoformat(json.loads(last)["timestamp"]).timestamp()
    seconds = 2 * FAST.receive_wait
    until(lambda: any(end > stopped for end in ends()), "a poll longer than the worker", seconds=seconds, seen=ends)


def test_an_api_killed_while_clients_publish_has_stored_what_it_accepted(
    target: Target, tracker: EmailTracker, client: Client, emails: list[Email]
) -> None:
    under_way = threading.Event()
    accepted: dict[str, Email] = {}

    def publish(share: list[Email]) -> None:
        for email in share:
            answer = client.publish(email)
            if answer.accepted:
                accepted[answer.message_id] = email
                under_way.set()

    threads = [threading.Thread(target=publish, args=(emails[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    assert under_way.wait(20)
    target.kill("api")
    for thread in threads:
        thread.join()
    assert 0 < len(accepted) < len(emails)
    target.start("api")
    tracker.accepted |= accepted
    tracker.verify()


def test_an_api_terminated_while_clients_publish_answers_what_it_took(
    target: Target, tracker: EmailTracker, client: Client, emails: list[Email]
) -> None:
    answers = []
    under_way = threading.Event()

    def publish(share: list[Email]) -> None:
        for email in share:
            began = time.monotonic()
            answers.append((began, client.publish(email), email))
            under_way.set()

    threads = [threading.Thread(target=publish, args=(emails[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    assert under_way.wait(20)
    drained = threading.Event()

    def watch_health() -> None:
        until(lambda: client.request("GET", "/health").status == 503, "health to say that it drains", seconds=20)
        drained.set()

    watcher = threading.Thread(target=watch_health)
    watcher.start()
    terminated = time.monotonic()
    assert target.terminate("api") == 0
    for thread in [*threads, watcher]:
        thread.join()
    assert drained.is_set()
    assert {answer.status for began, answer, _ in answers if began < terminated} == {200}
    target.start("api")
    tracker.accepted |= {answer.message_id: email for _, answer, email in answers if answer.accepted}
    tracker.verify()
