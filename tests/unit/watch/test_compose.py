"""What the acts of the page do to the containers of compose, and to those of `sim up --target docker`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sim.host.container import Container
from sim.watch import compose
from sim.watch.compose import ComposeProject
from sim.watch.detail import NoSuchTask
from sim.watch.wanted import BadAct, Scale, Wanted, read


class Noting:
    """Stands for a container of the engine, and notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.done.append(name)


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Noting:
    """The only container, `worker-1`, whose name in the engine is `p-worker-1`."""
    made = Noting()
    monkeypatch.setattr(compose, "_found", lambda: [("worker-1", SimpleNamespace(name="p-worker-1"))])
    monkeypatch.setattr(Container, "named", {"p-worker-1": made}.get)
    return made


def do(wanted: Wanted) -> str:
    return ComposeProject().perform(wanted, print)


@pytest.mark.parametrize(
    ("act", "done", "words"),
    [
        ("stop-task", "terminate", "stopped"),
        ("lose-task", "kill", "killed"),
        ("start-task", "start", "started"),
        ("pause-task", "pause", "paused"),
        ("resume-task", "resume", "resumed"),
    ],
)
def test_each_act_is_one_of_the_engine(container: Noting, act: str, done: str, words: str) -> None:
    wanted = read(f'{{"act": "{act}", "task": "worker-1"}}'.encode())
    assert do(wanted) == f"{words} worker-1"
    assert container.done == [done]


def test_what_is_not_there_and_what_compose_does_itself_is_refused(container: Noting) -> None:
    with pytest.raises(NoSuchTask, match="no container 'api-1'"):
        do(read(b'{"act": "stop-task", "task": "api-1"}'))
    with pytest.raises(BadAct, match="`docker compose` scales"):
        do(Scale("scale", "worker", 2))
    assert not container.done
