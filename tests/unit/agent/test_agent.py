"""An agent that meets an error which it does not know."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn, cast

import pytest

from sim.agent.agent import Agent, AgentFailed
from sim.agent.control_plane import ControlPlane
from sim.agent.journal import Journal
from sim.agent.runtime import Notify, Runtime


class Strange:
    """A control plane with an answer that nobody expects."""

    def desired(self, after: int | None) -> NoReturn:
        raise KeyError(after)


class Idle:
    """A runtime that runs nothing."""

    def begin(self, notify: Notify) -> None:
        """Watches nothing."""

    def close(self) -> None:
        """Has nothing to close."""


def test_a_thread_that_fails_ends_the_agent_so_that_it_is_started_again(tmp_path: Path) -> None:
    control_plane, runtime = cast("ControlPlane", Strange()), cast("Runtime", Idle())
    agent = Agent(control_plane, runtime, Journal(tmp_path / "tasks.json"), lambda _task, _container: {})
    with pytest.raises(AgentFailed, match=r"cannot go on.*KeyError\(None\)"):
        agent.run()
