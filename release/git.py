"""What git knows of a checkout."""

from __future__ import annotations

from pathlib import Path

from release.command import run
from release.sources import sources
from release.versions import Commit


class Checkout:
    """A working tree, and its history. Every method raises CommandFailed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def head(self) -> str:
        """The id of the commit that is checked out."""
        return self._git("rev-parse", "HEAD").strip()

    def changed(self, commits: str) -> list[str]:
        """The files that a range such as `main..HEAD` touches, whatever they were called before or after."""
        return _parts(self._git("log", "--format=", "--name-only", "--no-renames", "-z", commits, "--"))

    def full(self, commit: str) -> str:
        """The whole id of a commit."""
        return self._git("rev-parse", "--verify", f"{commit}^{{commit}}").strip()

    def version_set_by(self, service: str) -> str:
        """The id of the commit that gave the service the version it has."""
        return self._git("log", "-1", "--format=%H", "--", f"services/{service}/version.txt").strip()

    def since_release(self, service: str) -> list[Commit]:
        """The commits that touched what the service is made of, since its version was last set; newest first."""
        last = self.version_set_by(service)
        log = self._git("log", "--format=%H%n%B", "-z", f"{last}..HEAD", "--", *sources(service))
        return [Commit(*entry.split("\n", 1)) for entry in _parts(log)]

    def _git(self, *arguments: str) -> str:
        remedy = "it takes a checkout with its whole history: `git fetch --unshallow` brings the rest."
        return run(["git", *arguments], remedy=remedy, directory=self.root)[1]


def _parts(said: str) -> list[str]:
    return [part for part in (part.strip() for part in said.split("\0")) if part]
