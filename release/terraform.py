"""A root of Terraform: its folder, its settings and its state."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.command import run
from release.errors import CommandFailed, NotApplied, StateLocked

LOCK_FILE = ".terraform.lock.hcl"
"""Which provider a root takes, by its checksums: https://developer.hashicorp.com/terraform/language/files/dependency-lock"""

_NO_CHANGE, _CHANGES = 0, 2
_LOCK_ID = re.compile(r"Error acquiring the state lock.*?\bID:\s+(\S+)", re.DOTALL)
_HOW_IT_IS_INSTALLED = re.compile(r"TF_(CLI_CONFIG_FILE|PLUGIN_CACHE_\w+|TOKEN_\w+|REGISTRY_\w+)")


@dataclass(frozen=True)
class Plan:
    """A saved plan: where it is, what it would do in Terraform's words, and whether that is anything."""

    file: Path
    text: str
    changes: bool


@dataclass(frozen=True)
class Change:
    """What a plan would do to a resource: `actions` as Terraform has them, such as ("delete", "create")."""

    address: str
    actions: tuple[str, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def surroundings(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """The environment that Terraform runs in: `environ` with these variables, and none of the shell's own settings.

    Of Terraform's own environment variables those stay that say how it is installed. A workspace, a variable or an
    option that somebody has exported for something else would make of a root what its settings do not say.
    https://developer.hashicorp.com/terraform/cli/config/environment-variables
    """
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("TF_") or _HOW_IT_IS_INSTALLED.fullmatch(name)
    }
    given = {f"TF_VAR_{name}": value for name, value in variables.items()}
    return {**kept, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1", **given}


class Root:
    """Terraform's commands for one root; `environment` is all of Terraform's, see `surroundings`.

    `settings` are files of variables, a later one first. `backend` is what the root leaves open of where its state is.
    Where another Terraform holds the state, it waits `patience` seconds for its end; with `unlock` it takes the lock
    away, for that of one that was killed.
    Every method raises CommandFailed; where another holds the state's lock it is StateLocked.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        environment: Mapping[str, str],
        *,
        settings: Sequence[Path] = (),
        backend: Mapping[str, str] | None = None,
        patience: int = 0,
        unlock: bool = False,
    ) -> None:
        self.name = name
        self.directory = directory
        self.environment = environment
        self._settings = tuple(settings)
        self._backend = dict(backend or {})
        self._unlock = unlock
        self._lock_timeout = f"-lock-timeout={patience}s"

    def command(self, *arguments: str) -> list[str]:
        """The command line of one of Terraform's commands."""
        return ["terraform", f"-chdir={self.directory}", *arguments]

    def init(self) -> None:
        """Fetches modules and providers, and turns to the state.

        Where the root has a lock file, a provider that is not in it is refused.
        """
        options = [f"-backend-config={name}={value}" for name, value in self._backend.items()]
        if (self.directory / LOCK_FILE).exists():
            options.append("-lockfile=readonly")
        self.run("init", "-no-color", "-reconfigure", *options)

    def outputs(self) -> dict[str, Any]:
        """The root's outputs by name; none where it is not applied."""
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")[1]).items()}

    def applied(self) -> dict[str, Any]:
        """The root's outputs. Raises NotApplied if it has none."""
        if outputs := self.outputs():
            return outputs
        raise NotApplied(
            f"{self.directory} was never applied with this state; "
            "docs/deploy.md says in which order the roots are made, by a person the first time"
        )

    def image_tag(self) -> str | None:
        """Which image a service's root runs, by tag or digest, as its variable of this name has it. None for none."""
        # Terraform leaves out an output that is null.
        image = self.applied().get("image")
        return None if image is None else str(image).partition("@")[2] or str(image).rpartition(":")[2]

    def plan(self, file: Path, variables: Mapping[str, str] | None = None, *, lock: bool = True) -> Plan:
        """Saves to `file` what it would take to make the root as it is written, with these variables.

        Without the lock it needs no permission to write beside the state; what another changes meanwhile may not be in
        it.
        """
        given = [f"-var={name}={value}" for name, value in (variables or {}).items()]
        locking = self._lock_timeout if lock else "-lock=false"
        options = [locking, "-detailed-exitcode", f"-out={file}", *self._files, *given]
        status, _ = self._terraform("plan", *options, good=(_NO_CHANGE, _CHANGES))
        text = self.run("show", "-no-color", str(file))[1].strip() if status == _CHANGES else "No changes."
        return Plan(file, text, status == _CHANGES)

    def changes(self, plan: Plan) -> tuple[Change, ...]:
        """What a plan would change of the resources."""
        if not plan.changes:
            return ()
        return tuple(
            Change(each["address"], tuple(each["change"]["actions"]), each["change"]["before"], each["change"]["after"])
            for each in json.loads(self.run("show", "-json", str(plan.file))[1]).get("resource_changes", ())
            if each["change"]["actions"] not in (["no-op"], ["read"])
        )

    def apply(self, plan: Plan | None = None) -> None:
        """Does what the plan says, which Terraform refuses if the state is no longer the one that was planned for.

        Without a plan it does whatever it takes.
        """
        what = self._files if plan is None else [str(plan.file)]
        self._terraform("apply", self._lock_timeout, "-auto-approve", *what)

    def destroy(self) -> None:
        """Removes what it made."""
        self._terraform("destroy", self._lock_timeout, "-auto-approve", *self._files)

    @property
    def _files(self) -> list[str]:
        return [f"-var-file={file}" for file in self._settings]

    def _terraform(self, command: str, *options: str, good: Sequence[int] = (0,)) -> tuple[int, str]:
        try:
            return self.run(command, "-no-color", *options, good=good)
        except StateLocked as locked:
            if not self._unlock:
                raise
            self.run("force-unlock", "-force", locked.lock)
        return self.run(command, "-no-color", *options, good=good)

    def run(self, command: str, *options: str, good: Sequence[int] = (0,)) -> tuple[int, str]:
        """Exit status and standard output of one of Terraform's commands."""
        try:
            return run(
                self.command(command, *options),
                remedy="it takes Terraform 1.11 or newer, a region, and credentials that may do this",
                directory=self.directory,
                environment=self.environment,
                good=good,
            )
        except CommandFailed as failed:
            if locked := _LOCK_ID.search(str(failed)):
                raise StateLocked(self.name, locked[1]) from None
            raise
