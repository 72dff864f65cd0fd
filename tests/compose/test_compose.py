"""compose.yaml, run as a user runs it."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, takewhile

import pytest
from python_on_whales import Container

from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.bulk import publish_all
from sim.client.tracker import EmailTracker
from sim.history.events import message_id
from sim.host.waiting import until
from sim.targets.settings import api_ready
from sim.watch.compose import ComposeProject
from sim.watch.detail import HIDDEN
from sim.watch.wanted import PauseTask, ResumeTask
from tests.compose.target import ROOT, ComposeTarget, left

pytestmark = [pytest.mark.timeout(300)]

SERVICES = ["api", "load-balancer", "worker"]
SIGKILLED = 137


@pytest.fixture(scope="module")
def compose(environment: pytest.MonkeyPatch, project: str) -> Iterator[ComposeTarget]:  # noqa: ARG001 - compose reads it
    with ComposeTarget(project) as target:
        yield target


@pytest.fixture
def tracker(compose: ComposeTarget) -> EmailTracker:
    return EmailTracker(compose, Client(compose.url, compose.token()))


@contextmanager
def publishing(compose: ComposeTarget, email: Email) -> Iterator[EmailTracker]:
    """Publishes for as long as the block lasts; what was accepted is in the tracker."""
    client = Client(compose.url, compose.token())
    tracker = EmailTracker(compose, client)
    over = threading.Event()

    def publish() -> None:
        numbers = takewhile(lambda _: not over.is_set(), count())
        emails = (email.model_copy(update={"email_subject": f"number {number}"}) for number in numbers)
        for published in publish_all(client, ((each, each) for each in emails), concurrency=4, rate=40):
            if published.answer.accepted:
                tracker.accepted[published.answer.message_id] = published.name

    with ThreadPoolExecutor(1) as pool:
        publisher = pool.submit(publish)
        try:
            until(lambda: tracker.accepted, "a first e-mail to be accepted", seconds=10)
            yield tracker
        finally:
            over.set()
        publisher.result()


def by_service(compose: ComposeTarget) -> dict[str, Container]:
    """The containers, by the service of each."""
    return {(each.config.labels or {})["com.docker.compose.service"]: each for each in compose.containers()}


def exit_codes(compose: ComposeTarget, services: list[str]) -> dict[str, int]:
    """Of the services that have ended."""
    states = {service: by_service(compose)[service].state for service in services}
    return {service: state.exit_code or 0 for service, state in states.items() if state.status == "exited"}


def test_what_is_published_is_stored(tracker: EmailTracker, email: Email) -> None:
    tracker.publish(email)
    tracker.verify()


def test_the_live_page_sees_it(
    compose: ComposeTarget, tracker: EmailTracker, email: Email, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    project = ComposeProject()
    before = project.look()
    tracker.publish(email)
    tracker.verify()
    wanted = (len(compose.data_plane.object_keys()), Counter(before.answered["API"]) + Counter({"200": 1}))

    def counted() -> tuple[int, Mapping[str, int]]:
        seen = project.look()
        return seen.pipeline.objects if seen.pipeline else 0, seen.answered["API"]

    until(lambda: counted() == wanted, f"it to show {wanted}", seconds=30, seen=counted)
    seen = project.look()
    assert {name: (of.service, seen.parts[name].good) for name, of in seen.tasks.items()} == {
        "api-1": ("api", True),
        "worker-1": ("worker", True),
    }
    for act, words in (
        (PauseTask("pause-task", "worker-1"), "paused"),
        (ResumeTask("resume-task", "worker-1"), "resumed"),
    ):
        assert project.perform(act, print) == f"{words} worker-1"
        assert project.look().parts["worker-1"].detail.startswith("paused" if words == "paused" else "running")
    # Docker calls a container unhealthy while it does not check it, so from its pause to the next check.
    until(lambda: project.look().parts["worker-1"].good, "the worker to be healthy again", seconds=30)
    [container] = project.detail("api-1", seen).containers
    assert container.environment["AWS_SECRET_ACCESS_KEY"] == HIDDEN
    assert any('"message": "request"' in each for each in container.log)


def test_up_again_changes_nothing(compose: ComposeTarget, tracker: EmailTracker, email: Email) -> None:
    tracker.publish(email)
    tracker.verify()
    containers, token = {each.id for each in compose.containers()}, compose.token()
    compose.up()
    assert ({each.id for each in compose.containers()}, compose.token()) == (containers, token)
    assert len(tracker.object_keys()) == 1


def test_the_token_is_printed_to_who_asks_and_is_in_no_log(compose: ComposeTarget) -> None:
    printed = compose.compose.run("setup", ["token"], remove=True, tty=False)
    assert printed == compose.token()
    assert [name for name, log in compose.logs().items() if compose.token() in log] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_restart_loses_nothing(compose: ComposeTarget, email: Email, service: str) -> None:
    with publishing(compose, email) as tracker:
        compose.compose.restart(service)
        until(lambda: api_ready(compose.url), "the API to be ready", seconds=30)
        accepted = len(tracker.accepted)
        until(lambda: len(tracker.accepted) > accepted, "another e-mail to be accepted", seconds=30)
    tracker.verify()


def test_localstack_comes_back_empty_and_up_makes_it_whole(
    compose: ComposeTarget, tracker: EmailTracker, email: Email
) -> None:
    tracker.publish(email)
    tracker.verify()
    compose.compose.restart("localstack")
    compose.up()
    assert compose.data_plane.object_keys() == []
    anew = EmailTracker(compose, Client(compose.url, compose.token()))
    anew.publish(email)
    anew.verify()


def test_a_stop_is_graceful_and_loses_nothing(compose: ComposeTarget, email: Email) -> None:
    with publishing(compose, email) as tracker:
        compose.compose.stop(SERVICES)
    assert exit_codes(compose, SERVICES) == dict.fromkeys(SERVICES, 0)
    compose.compose.start(SERVICES)
    until(lambda: api_ready(compose.url), "the API to be ready", seconds=30)
    tracker.verify()


def test_a_stop_right_after_a_start_is_heard(compose: ComposeTarget) -> None:
    compose.compose.restart("worker")
    compose.compose.stop("worker")
    assert exit_codes(compose, ["worker"])["worker"] != SIGKILLED
    compose.up()


def test_everything_can_be_stopped_and_works_again(compose: ComposeTarget, email: Email) -> None:
    compose.compose.stop()
    assert exit_codes(compose, [*SERVICES, "localstack", "setup"]) == dict.fromkeys(
        [*SERVICES, "localstack", "setup"], 0
    )
    compose.up()
    tracker = EmailTracker(compose, Client(compose.url, compose.token()))
    tracker.publish(email)
    tracker.verify()


def test_scaled_out_every_instance_takes_part(compose: ComposeTarget, email: Email) -> None:
    compose.compose.up(wait=True, quiet=True, scales={"api": 2, "worker": 3})
    tracker = EmailTracker(compose, Client(compose.url, compose.token()))
    instances = [*compose.containers("api"), *compose.containers("worker")]
    assert len(instances) == 5

    def idle() -> list[str]:
        tracker.publish_all([email] * 50)
        logs = compose.logs()
        return [each.name for each in instances if not any(id_ in logs[each.name] for id_ in tracker.accepted)]

    until(lambda: not idle(), "every instance to take part", seconds=60, seen=idle)
    tracker.verify()
    compose.up()
    assert len(compose.containers("api")) == len(compose.containers("worker")) == 1


def test_the_demo_profile_publishes_without_end(compose: ComposeTarget) -> None:
    profile = compose.with_profiles("demo").compose
    profile.up(wait=True, quiet=True)

    def accepted() -> dict[str, str]:
        [demo] = compose.containers("demo")
        lines = [line.split(maxsplit=2) for line in str(demo.logs()).splitlines()]
        return {id_: subject for outcome, id_, subject in lines if outcome == "accepted"}

    until(lambda: len(accepted()) > 12, "more than a dozen e-mails to be published", seconds=30, seen=accepted)
    profile.stop("demo")
    assert exit_codes(compose, ["demo"]) == {"demo": 0}
    compose.drain(30)
    stored = {message_id(key): compose.data_plane.object(key).body for key in compose.data_plane.object_keys()}
    assert {id_: json.loads(stored[id_])["email_subject"] for id_ in accepted()} == accepted()
    assert confined(by_service(compose)["demo"])


def confined(container: Container) -> bool:
    """Whether a container is nobody's, can write nothing and gain nothing, and has no file of this machine."""
    host = container.host_config
    return bool(
        container.config.user == "10001:10001"
        and host.readonly_rootfs
        and host.cap_drop == ["ALL"]
        and not host.cap_add
        and not host.privileged
        and host.security_opt == ["no-new-privileges:true"]
        and not container.mounts
    )


def test_every_container_is_confined(compose: ComposeTarget) -> None:
    containers = by_service(compose)
    assert {"localstack", "setup", *SERVICES} <= containers.keys()
    assert [service for service, container in containers.items() if not confined(container)] == []


def test_nothing_is_published_but_to_loopback(compose: ComposeTarget) -> None:
    published = {
        (service, port["HostIp"], port["HostPort"])
        for service, container in by_service(compose).items()
        for ports in (container.network_settings.ports or {}).values()
        for port in ports or []
    }
    assert published == {
        ("load-balancer", "127.0.0.1", os.environ["API_PORT"]),
        ("localstack", "127.0.0.1", os.environ["LOCALSTACK_PORT"]),
    }


def test_down_leaves_nothing(compose: ComposeTarget) -> None:
    compose.down()
    assert left(compose.project) == []
