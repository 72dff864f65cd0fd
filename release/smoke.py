"""The end-to-end tests against what was deployed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from release.command import run
from release.errors import CommandFailed, SmokeFailed

COMMAND = ".venv/bin/python -m pytest tests/e2e --target aws --quiet"


def place(service: str, outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, str] | None:
    """Where the smoke test of a service finds the pipeline, as environment variables of the target `aws`.

    `outputs` has those of each service's root. A service that was never deployed has no image: without an API there is
    nothing to test, which is None; without a worker nothing is stored, so the test does not look into the bucket.
    """
    runs = {name for name, each in outputs.items() if name == service or each.get("image")}
    if "api" not in runs:
        return None
    stored = {"SIM_BUCKET": "", "SIM_PREFIX": ""}
    if "worker" in runs:
        stored = {"SIM_BUCKET": outputs["worker"]["bucket"], "SIM_PREFIX": outputs["worker"]["prefix"]}
    return {"SIM_URL": outputs["api"]["url"], **stored}


def smoke(command: str, directory: Path, variables: Mapping[str, str], token: Callable[[], str]) -> Callable[[], None]:
    """Runs the command with these variables and SIM_TOKEN.

    What it returns raises SmokeFailed if the command does not end well.
    """

    def test() -> None:
        secret = token()
        try:
            run(
                shlex.split(command),
                remedy=f"the same command, with {', '.join(variables)} and SIM_TOKEN set, shows it again.",
                directory=directory,
                environment={**os.environ, **variables, "SIM_TOKEN": secret},
            )
        except CommandFailed as error:
            # A test that fails may show what it sent.
            raise SmokeFailed(str(error).replace(secret, "***")) from None

    return test
