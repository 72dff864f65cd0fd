"""A root of Terraform, with its state in S3."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.command import run
from release.errors import CommandFailed, NotApplied

_LOCK_TIMEOUT = "120s"
_NO_CHANGE, _CHANGES = 0, 2
_LOCK_ID = re.compile(r"Error acquiring the state lock.*?\bID:\s+(\S+)", re.DOTALL)


@dataclass(frozen=True)
class Plan:
    """A saved plan: where it is, what it would do in Terraform's words, and whether that is anything."""

    file: Path
    text: str
    changes: bool


class Root:
    """One root of one environment. Region, credentials and further variables (TF_VAR_...) are those of this process.

    `unlock` takes away the lock of a Terraform that was killed, and for another's end nothing is waited.
    Every method raises CommandFailed.
    """

    def __init__(
        self, directory: Path, state_bucket: str, variables: Mapping[str, str], *, unlock: bool = False
    ) -> None:
        self._unlock = unlock
        self._lock_timeout = "0s" if unlock else _LOCK_TIMEOUT
        self._directory = directory
        self._state_bucket = state_bucket
        given = {"state_bucket": state_bucket, **variables}
        self._environment = {
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            **{f"TF_VAR_{name}": value for name, value in given.items()},
        }

    def init(self) -> None:
        """Fetches modules and providers, and turns to the environment's state."""
        self._terraform("init", "-reconfigure", f"-backend-config=bucket={self._state_bucket}")

    def outputs(self) -> Mapping[str, Any]:
        """The root's outputs. Raises NotApplied if it has none."""
        said = json.loads(self._terraform("output", "-json")[1])
        if not said:
            raise NotApplied(
                f"{self._directory} was never applied with the state in {self._state_bucket}; "
                "docs/deploy.md says in which order the roots are made, by a person the first time"
            )
        return {name: output["value"] for name, output in said.items()}

    def image_tag(self) -> str | None:
        """Which image a service's root runs, by tag or digest, as its variable of this name says it. None for none."""
        # Terraform leaves out an output that is null.
        image = self.outputs().get("image")
        return None if image is None else str(image).partition("@")[2] or str(image).rpartition(":")[2]

    def plan(self, variables: Mapping[str, str], file: Path, *, lock: bool = True) -> Plan:
        """Saves to `file` what it would take to make the root as it is written, with these variables.

        Without the lock it takes no leave to write beside the state; what another does meanwhile may not be in it.
        """
        given = [f"-var={name}={value}" for name, value in variables.items()]
        locking = f"-lock-timeout={self._lock_timeout}" if lock else "-lock=false"
        options = [locking, "-detailed-exitcode", f"-out={file}", *given]
        status, _ = self._terraform("plan", *options, good=(_NO_CHANGE, _CHANGES))
        text = self._terraform("show", str(file))[1]
        return Plan(file, text.strip(), status == _CHANGES)

    def apply(self, plan: Plan) -> None:
        """Does what the plan says; Terraform refuses it if the state is no longer the one that was planned for."""
        self._terraform("apply", f"-lock-timeout={self._lock_timeout}", str(plan.file))

    def _terraform(self, command: str, *options: str, good: tuple[int, ...] = (0,)) -> tuple[int, str]:
        try:
            return self._run(command, *options, good=good)
        except CommandFailed as error:
            locked = _LOCK_ID.search(str(error))
            if not self._unlock or locked is None:
                raise
        self._run("force-unlock", "-force", locked[1])
        return self._run(command, *options, good=good)

    def _run(self, command: str, *options: str, good: tuple[int, ...] = (0,)) -> tuple[int, str]:
        colourless = () if command in {"output", "force-unlock"} else ("-no-color",)
        remedy = (
            "a state lock that nobody holds any more is taken away by `--unlock`"
            if command in {"plan", "apply"}
            else "it takes Terraform 1.11 or newer, AWS_REGION, and credentials that may read the state"
        )
        arguments = ["terraform", command, *colourless, *options]
        return run(arguments, remedy=remedy, directory=self._directory, environment=self._environment, good=good)
