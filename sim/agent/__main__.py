"""`python -m sim.agent SETTINGS`: the agent, until SIGTERM. Its tasks run on."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

from sim.agent import settings
from sim.agent.agent import Agent
from sim.agent.control_plane import ControlPlane
from sim.agent.docker_request import Where
from sim.agent.docker_runtime import DockerRuntime
from sim.agent.journal import Journal
from sim.agent.logs import LogShipper
from sim.agent.process_runtime import TASKS, ProcessRuntime
from sim.agent.runtime import Registry, Runtime
from sim.errors import SimError
from sim.host.engine_api import LABEL, EngineApi


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m sim.agent", description="The agent of all container instances.")
    parser.add_argument("settings", type=Path, help="a JSON file: sim/agent/settings.py")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        _run(settings.read(parser.parse_args().settings))
    except SimError as error:
        sys.exit(str(error))


def _runtime(given: settings.Settings, registry: Registry, logs: LogShipper) -> Runtime:
    match given.runtime:
        case settings.Processes(programs=programs, groups=groups):
            return ProcessRuntime(registry, given.state / TASKS, groups, programs, logs)
        case settings.Docker(run=run, network=network, edge=edge, images=images):
            where = Where(LABEL, run, network, edge)
            return DockerRuntime(EngineApi(), registry, where, given.state / "logs", logs, images)


def _run(given: settings.Settings) -> None:
    given.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    control_plane = ControlPlane(given.control_plane)
    logs = LogShipper(control_plane)
    journal = Journal(given.state / "tasks.json")
    agent = Agent(control_plane, _runtime(given, control_plane, logs), journal, given.variables)
    signal.signal(signal.SIGTERM, lambda *_: agent.stop())
    signal.signal(signal.SIGINT, lambda *_: agent.stop())
    logs.begin()
    agent.run()
    logs.close()


if __name__ == "__main__":
    main()
