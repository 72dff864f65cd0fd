"""The end-to-end tests against what was deployed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from release.command import run
from release.errors import CommandFailed, SmokeFailed

COMMAND = ".venv/bin/python -m pytest tests/e2e --target aws --quiet"


def smoke(command: str, directory: Path, url: str, token: Callable[[], str]) -> Callable[[], None]:
    """Runs the command with SIM_URL and SIM_TOKEN; what it returns raises SmokeFailed if that does not end well."""

    def test() -> None:
        secret = token()
        try:
            run(
                shlex.split(command),
                remedy="the same command, with SIM_URL and SIM_TOKEN set, shows it again.",
                directory=directory,
                environment={**os.environ, "SIM_URL": url, "SIM_TOKEN": secret},
            )
        except CommandFailed as error:
            # A test that fails may show what it sent.
            raise SmokeFailed(str(error).replace(secret, "***")) from None

    return test
