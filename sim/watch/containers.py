"""Services that are containers and no tasks of a cluster: how each is, what it logs, and what can be done to it."""

from __future__ import annotations

from typing import Final

from sim.host.container import Container
from sim.watch.detail import LINES, NoSuchTask, TaskDetail, environment
from sim.watch.detail import Container as Shown
from sim.watch.observed import SeenPart
from sim.watch.wanted import LoseTask, OfContainers, PauseTask, ResumeTask, StartTask, StopTask

_STOP_SECONDS: Final = 30
_RUNS: Final = frozenset({"running", "paused", "restarting"})


def part(name: str) -> SeenPart:
    """How the container of this name in the engine is. Raises NoSuchTask."""
    container = _named(name)
    state = container.state
    return SeenPart(state in _RUNS, container.works, f"{state}, {container.health}")


def detail(shown: str, name: str) -> TaskDetail:
    """The image, the settings and the log of a container, which is shown by another name. Raises NoSuchTask."""
    container = _named(name)
    inspected = container.inspect()
    pairs = (each.partition("=") for each in inspected["Config"]["Env"] or ())
    variables = environment({"environment": [{"name": name, "value": value} for name, _, value in pairs]})
    log = container.tail(LINES).splitlines()
    started = inspected["State"]["StartedAt"][11:19]
    return TaskDetail("", started, [Shown(shown, inspected["Config"]["Image"], "", variables, {}, log)])


def act(wanted: OfContainers, name: str) -> str:
    """Does it to a container, and returns what was done. Raises NoSuchTask or ContainerFailed."""
    container = _named(name)
    match wanted:
        case StopTask():
            container.terminate(_STOP_SECONDS)
            return f"stopped {wanted.task}"
        case LoseTask():
            container.kill()
            return f"killed {wanted.task}"
        case StartTask():
            container.start()
            return f"started {wanted.task}"
        case PauseTask():
            container.pause()
            return f"paused {wanted.task}"
        case ResumeTask():
            container.resume()
            return f"resumed {wanted.task}"


def _named(name: str) -> Container:
    container = Container.named(name)
    if container is None:
        raise NoSuchTask(f"the engine has no container {name!r} any more")
    return container
