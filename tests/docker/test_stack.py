"""`sim up --target docker`: containers that stay up, their live page, and what is done to them by the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from python_on_whales import DockerClient

from services.pipeline.message import Email
from sim.host.engine_api import LABEL
from sim.host.waiting import until
from sim.stack import lifecycle
from sim.stack.lifecycle import Stack
from sim.stack.status import status_of
from sim.watch.detail import NoSuchTask
from sim.watch.draw import draw
from sim.watch.picture import Health
from sim.watch.wanted import read
from sim.watch.watched import RunningStack, running_stack
from tests.stack.command_line import SECONDS, console_script

pytestmark = [pytest.mark.usefixtures("docker"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def stack(directory: Path) -> Iterator[Stack]:
    where = ("--dir", str(directory))
    up = console_script("up", "--target", "docker", *where)
    assert up.status == 0, up.err
    stack = lifecycle.running(directory)
    run = stack.containers["api"].removesuffix("-api")
    yield stack
    down = console_script("down", *where)
    assert down.status == 0, down.err
    assert not DockerClient().container.list(all=True, filters=[("label", f"{LABEL}={run}")])


@pytest.fixture
def watched(stack: Stack, directory: Path) -> RunningStack:  # noqa: ARG001 - which is up
    """What the page asks and does."""
    return running_stack(directory)


def do(watched: RunningStack, act: str, task: str) -> str:
    return watched.perform(read(f'{{"act": "{act}", "task": "{task}"}}'.encode()), print)


def health(watched: RunningStack) -> dict[str, tuple[Health, str]]:
    """Health and state of each task, as the page shows them."""
    picture = draw(watched.look(), None).picture
    return {name: (each.health, each.state) for name, each in picture.tasks.items()}


def await_health(watched: RunningStack, service: str, wanted: Health) -> None:
    """Waits until the page shows a task so. Raises TimedOut."""
    until(
        lambda: health(watched)[service][0] is wanted,
        f"the {service} to be {wanted}",
        seconds=SECONDS,
        seen=lambda: health(watched),
    )


def publish(stack: Stack, watched: RunningStack, email: Email) -> None:
    """Publishes an e-mail, and waits until the page has counted the request. Raises TimedOut."""

    def counted() -> int:
        return watched.look().answered["API"].get("200", 0)

    before = counted()
    assert stack.client().publish(email).status == 200
    until(lambda: counted() == before + 1, "the request to be counted", seconds=SECONDS, seen=counted)


def test_the_page_counts_what_the_containers_do(stack: Stack, watched: RunningStack, email: Email) -> None:
    assert status_of(stack).good
    publish(stack, watched, email)
    until(stack.data_plane.object_keys, "the e-mail to be stored", seconds=SECONDS)
    seen = watched.look()
    assert ("worker", "PutObject", "200") in seen.calls
    assert seen.pipeline is not None
    assert seen.pipeline.objects == 1
    detail = watched.detail("api", seen)
    assert detail.containers[0].environment["TOKEN_PARAMETER"]
    assert any('"path": "/publish"' in line for line in detail.containers[0].log)


def test_a_task_is_paused_and_goes_on(watched: RunningStack) -> None:
    assert do(watched, "pause-task", "worker") == "paused worker"
    shown, state = health(watched)["worker"]
    assert shown is Health.STARTING
    assert state.startswith("paused")
    do(watched, "resume-task", "worker")
    await_health(watched, "worker", Health.GOOD)


@pytest.mark.parametrize("act", ["stop-task", "lose-task"])
def test_a_task_that_was_ended_is_started_again_and_followed(
    stack: Stack, directory: Path, watched: RunningStack, act: str, email: Email
) -> None:
    do(watched, act, "api")
    await_health(watched, "api", Health.ENDED)
    until(lambda: not status_of(lifecycle.running(directory)).good, "`sim status` to say so", seconds=SECONDS)
    do(watched, "start-task", "api")
    await_health(watched, "api", Health.GOOD)
    until(lambda: status_of(lifecycle.running(directory)).good, "all to work again", seconds=SECONDS)
    publish(stack, watched, email)


def test_a_fault_hits_its_calls_and_a_part_that_is_no_task_is_refused(watched: RunningStack) -> None:
    fault = b'{"act": "inject", "fault": {"fault": "throttle", "caller": "worker", "probability": 1}}'
    assert watched.perform(read(fault), print) == "injected throttle worker"

    def hit() -> bool:
        return any(caller == "worker" and outcome != "200" for caller, _, outcome in watched.look().calls)

    until(hit, "a call of the worker to fail", seconds=SECONDS, seen=lambda: watched.look().calls)
    watched.perform(read(b'{"act": "end-fault", "rule": "throttle worker"}'), print)
    with pytest.raises(NoSuchTask, match="there are: api, worker"):
        do(watched, "lose-task", "localstack")
