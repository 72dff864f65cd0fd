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
from sim.agent.journal import Journal
from sim.agent.logs import LogShipper
from sim.agent.process_runtime import ProcessRuntime
from sim.errors import SimError


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m sim.agent", description="The agent of all container instances.")
    parser.add_argument("settings", type=Path, help="a JSON file: sim/agent/settings.py")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        _run(settings.read(parser.parse_args().settings))
    except SimError as error:
        sys.exit(str(error))


def _run(given: settings.Settings) -> None:
    given.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    control_plane = ControlPlane(given.control_plane)
    logs = LogShipper(control_plane)
    runtime = ProcessRuntime(given.state / "tasks", given.runtime.groups, given.runtime.programs, logs)
    agent = Agent(control_plane, runtime, Journal(given.state / "tasks.json"), given.given)
    signal.signal(signal.SIGTERM, lambda *_: agent.stop())
    signal.signal(signal.SIGINT, lambda *_: agent.stop())
    logs.begin()
    agent.run()
    logs.close()


if __name__ == "__main__":
    main()
