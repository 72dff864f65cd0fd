"""Applies anybody's roots to the local cloud, and destroys them. The project's own files stay as they are."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from release.errors import CommandFailed
from release.terraform import LOCK_FILE, Root
from sim.cloud.aws_client import CREDENTIALS, REGION, local_session
from sim.errors import SimError
from sim.terraform import installation
from sim.terraform.configuration import Configuration, configuration
from sim.terraform.local_roots import Done, Progress, local_surroundings, timed
from sim.terraform.project import OVERRIDE, STATE, VARIABLES, Project, assignments, project
from sim.terraform.project_settings import ProjectSettings

_OF_TERRAFORM: Final = (".terraform", f"{STATE}*", ".terraform.tfstate.lock.info", LOCK_FILE)
_NOT_COPIED: Final = shutil.ignore_patterns(".git", ".terraform", "*.tfstate", "*.tfstate.*", "node_modules", ".venv")
_PROVIDER: Final = re.compile(r"provider\s+\"?([a-z0-9.-]+/[a-z0-9./-]*[a-z0-9])")
_MODULE: Final = re.compile(r"module\s+\"?([\w-]+)\"?\s+\(")
_FAILED: Final = re.compile(r"Error: (?P<what>.*?)\n\s*\n\s*with (?P<resource>[^\n]+),\n", re.DOTALL)
_OPERATION: Final = re.compile(r"operation error (?P<service>[^:]+):\s+(?P<operation>\w+)")
_LACKS: Final = re.compile(r"StatusCode:\s+501|not yet implemented|is not enabled|NotImplemented")


class NotFetched(SimError):
    """Providers or modules of the roots cannot be fetched."""


class NotInLocalCloud(SimError):
    """The local cloud does not have an operation that a resource needs."""


class ProjectRoots:
    """A project's roots in a copy below `directory`. Terraform writes only there. Each state is a file in the copy."""

    def __init__(self, directory: Path, endpoint: str, settings: ProjectSettings, progress: Progress) -> None:
        self._directory = directory.absolute()
        self._endpoint = endpoint
        self._settings = settings
        self._progress = progress

    def apply(self) -> list[Done]:
        """Applies the roots one after the other.

        Raises BadRoot, Unreadable or NotFetched before anything is applied; NotInLocalCloud or CommandFailed after.
        """
        self._prepare()
        return [self._timed("applying", each) for each in self.project.roots]

    def destroy(self) -> list[Done]:
        """Destroys the roots, each before those whose states it reads. Raises as `apply` does."""
        self._prepare()
        return [self._timed("destroying", each) for each in reversed(self.project.roots)]

    def states(self) -> dict[str, str]:
        """The state of each root that was applied, as `terraform show -json` prints it, by the root's name."""
        return {self.project.name(each): self._root(each).run("show", "-json")[1] for each in self.project.roots}

    @cached_property
    def project(self) -> Project:
        """The roots in order. Raises BadRoot or Unreadable."""
        return project([configuration(each.resolve()) for each in self._settings.roots])

    @property
    def _copies(self) -> Path:
        return self._directory / "project"

    def _copy_of(self, folder: Path) -> Path:
        return self._copies / folder.relative_to(self.project.folder)

    def _prepare(self) -> None:
        self._copy()
        self._make_state_buckets()
        failed = {self.project.name(each): text for each in self.project.roots if (text := self._fetch(each))}
        if failed:
            raise NotFetched(not_fetched(failed))

    def _copy(self) -> None:
        self._copies.mkdir(parents=True, exist_ok=True)
        _clear(self._copies)
        for part in self.project.parts:
            to = self._copy_of(part)
            if part.is_dir():
                shutil.copytree(part, to, ignore=_NOT_COPIED, dirs_exist_ok=True)
            else:
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(part, to)
        for root in self.project.roots:
            if text := self.project.override(root, self._copies):
                (self._copy_of(root.folder) / OVERRIDE).write_text(text)
            variables = self._copy_of(root.folder) / VARIABLES
            # They may be secrets.
            variables.touch(mode=0o600)
            variables.write_text(assignments(root, dict(self._settings.variables)))

    def _make_state_buckets(self) -> None:
        s3 = local_session().client("s3", endpoint_url=self._endpoint)
        present = {each.get("Name") for each in s3.list_buckets()["Buckets"]}
        for name in self.project.state_buckets:
            if name not in present:
                s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
                self._progress(f"made the bucket {name}, which no root makes")

    def _fetch(self, configuration: Configuration) -> str:
        """Fetches a root's providers and modules. Returns Terraform's error, "" for none."""
        root, lock = self._root(configuration), self._copy_of(configuration.folder) / LOCK_FILE
        self._progress(f"fetching providers and modules of {root.name}")
        try:
            root.init()
        except CommandFailed as failed:
            if not lock.exists():
                return str(failed)
            # The file has one version, and perhaps one platform; what can be had here may be another one.
            lock.unlink()
            try:
                root.init()
            except CommandFailed as again:
                return str(again)
            self._progress(f"{root.name}: took other providers than {LOCK_FILE} names, which cannot be fetched")
        return ""

    def _timed(self, doing: str, configuration: Configuration) -> Done:
        root = self._root(configuration)
        act = root.apply if doing == "applying" else root.destroy

        def act_or_explain() -> None:
            try:
                act()
            except CommandFailed as failed:
                if lacking := lacks(str(failed)):
                    raise NotInLocalCloud("\n".join(lacking) + f"\n{failed}") from None
                raise

        return timed(doing, root.name, act_or_explain, self._progress)

    def _root(self, configuration: Configuration) -> Root:
        return Root(
            self.project.name(configuration),
            self._copy_of(configuration.folder),
            {
                **local_surroundings(self._endpoint, {}),
                **installation.environment(self._directory, os.environ),
                **self._profiles(),
            },
            settings=[
                *(each.absolute() for each in self._settings.var_files),
                self._copy_of(configuration.folder) / VARIABLES,
            ],
        )

    def _profiles(self) -> dict[str, str]:
        """A configuration of AWS that has the profiles that the providers name."""
        if not self.project.profiles:
            return {}
        file = self._directory / "aws.config"
        keys = "\n".join(f"{name.lower()} = {value}" for name, value in CREDENTIALS.items())
        file.write_text("\n".join(f"[profile {each}]\n{keys}\n" for each in sorted(self.project.profiles)))
        return {"AWS_CONFIG_FILE": str(file)}


def not_fetched(failed: Mapping[str, str]) -> str:
    """What cannot be fetched, by root, from Terraform's errors, and what to do."""
    lines = ["nothing was applied, since these cannot be fetched:"]
    for root, text in failed.items():
        providers = [f"provider {each}" for each in dict.fromkeys(_PROVIDER.findall(text))]
        modules = [f"module {each}" for each in dict.fromkeys(_MODULE.findall(text))]
        lines.append(f"  {root}: {', '.join([*providers, *modules]) or text.strip()}")
    lines.append(
        "With a network Terraform fetches them by itself. Without one, put providers into a folder that "
        "SIM_TERRAFORM_PLUGINS names, and have the modules beside the roots, with sources that begin with ./ or ../"
    )
    return "\n".join(lines)


def lacks(error: str) -> list[str]:
    """The resources of a failed apply for which the local cloud lacks an operation, and what to do about each."""
    found = []
    for match in _FAILED.finditer(error):
        what = " ".join(match["what"].split())
        operation = _OPERATION.search(what)
        if operation and _LACKS.search(what):
            found.append(
                f"{match['resource']} needs {operation['operation']} of {operation['service']}, which the local cloud "
                "does not have; leave it out here, for example by a variable that sets its count to 0"
            )
    return found


def _clear(copies: Path) -> None:
    """Removes what was copied before, but for what Terraform has written."""
    for folder, folders, files in os.walk(copies):
        folders[:] = [each for each in folders if each not in _OF_TERRAFORM]
        for each in files:
            path = Path(folder, each)
            if not any(path.match(pattern) for pattern in _OF_TERRAFORM):
                path.unlink()
