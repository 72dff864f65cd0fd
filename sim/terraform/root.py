"""One root of Terraform in a folder that it may write in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sim.errors import SimError
from sim.host.command import CommandFailed, run

_CHANGES: Final = 2
"""What `terraform plan -detailed-exitcode` ends with where there is something to change."""
_LOCK_ID: Final = re.compile(r"Error acquiring the state lock.*?\bID:\s+(\S+)", re.DOTALL)
_REMEDY: Final = "Mend what it says, and run it again: what is made already stays, and is not made twice."


class StateLocked(SimError):
    """Another apply holds the lock of a root's state, or was killed while it did."""

    def __init__(self, root: str, lock: str) -> None:
        super().__init__(root, lock)
        self.root = root
        self.lock = lock

    def __str__(self) -> str:
        return (
            f"the state of {self.root} is locked ({self.lock}): another apply is at work on it, wait for its end; "
            "if that one was killed, `--unlock` takes its lock away"
        )


@dataclass(frozen=True)
class Change:
    """What a plan would do to a resource: `actions` as Terraform has them, such as ("delete", "create")."""

    address: str
    actions: tuple[str, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class Root:
    """Terraform's commands for one root; their `environment` has its variables, credentials and endpoint."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.folder = folder
        self.environment = environment

    def command(self, *arguments: str) -> list[str]:
        """The command line of one of Terraform's commands."""
        return ["terraform", f"-chdir={self.folder}", *arguments]

    def init(self, backend: Mapping[str, str]) -> None:
        """Gets provider and modules. `backend` is what the root leaves open. Raises CommandFailed."""
        settings = [f"-backend-config={name}={value}" for name, value in backend.items()]
        self._run("init", "-reconfigure", *settings)

    def apply(self) -> None:
        """Makes what is not there, changes what is not so. Raises CommandFailed, or StateLocked."""
        self._run("apply", "-auto-approve")

    def destroy(self) -> None:
        """Removes what it made. Raises CommandFailed, or StateLocked."""
        self._run("destroy", "-auto-approve")

    def plan(self) -> tuple[Change, ...]:
        """What an apply would change; nothing if all is as it should be. Raises CommandFailed, or StateLocked."""
        try:
            self._run("plan", "-detailed-exitcode", "-out=plan")
        except CommandFailed as ended:
            if ended.status != _CHANGES:
                raise
        else:
            return ()
        changes = json.loads(self._run("show", "-json", "plan"))["resource_changes"]
        return tuple(
            Change(each["address"], tuple(each["change"]["actions"]), each["change"]["before"], each["change"]["after"])
            for each in changes
            if each["change"]["actions"] not in (["no-op"], ["read"])
        )

    def outputs(self) -> dict[str, Any]:
        """Its outputs by name; none where it is not applied. Raises CommandFailed."""
        return {name: output["value"] for name, output in json.loads(self._run("output", "-json")).items()}

    def unlock(self, lock: str) -> None:
        """Takes a lock away. Raises CommandFailed."""
        self._run("force-unlock", "-force", lock)

    def _run(self, command: str, *arguments: str) -> str:
        plain = () if command in {"output", "show", "force-unlock"} else ("-input=false", "-no-color")
        try:
            return run(self.command(command, *plain, *arguments), environment=self.environment, remedy=_REMEDY)
        except CommandFailed as failed:
            if locked := _LOCK_ID.search(failed.stderr):
                raise StateLocked(self.name, locked[1]) from None
            raise
