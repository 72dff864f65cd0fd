"""The next version of a service, from its commits.

A conventional commit says by its subject what it is: https://www.conventionalcommits.org/en/v1.0.0/
One that says nothing counts as a repair: it changed what ships. https://semver.org/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from release.errors import NotAVersion

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
_CONVENTIONAL = re.compile(r"(?P<type>[a-z]+)(\([^()]*\))?(?P<breaking>!)?: +(?P<what>.+)")
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE: ", re.MULTILINE)


class Change(IntEnum):
    """How much a commit changes for whoever uses the service; the greatest of several decides."""

    NONE = 0
    REPAIR = 1
    FEATURE = 2
    BREAKING = 3


_CHANGES = {
    "feat": Change.FEATURE,
    **dict.fromkeys(("ci", "docs", "style", "test"), Change.NONE),
}


@dataclass(frozen=True, order=True)
class Version:
    """A semantic version without a suffix."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises NotAVersion."""
        found = _VERSION.fullmatch(text)
        if found is None:
            raise NotAVersion(f"{text!r} is not a version; version.txt must hold one such as 1.2.3")
        return cls(*map(int, found.groups()))

    def after(self, change: Change) -> Version:
        """The next one. Before 1.0.0 nothing is promised yet, and what breaks is the next minor version."""
        if change is Change.NONE:
            return self
        if change is Change.REPAIR:
            return Version(self.major, self.minor, self.patch + 1)
        if change is Change.FEATURE or self.major == 0:
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major + 1, 0, 0)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True)
class Commit:
    """One commit: its id, and its message."""

    id: str
    message: str

    @property
    def change(self) -> Change:
        """What it says it is."""
        found = _CONVENTIONAL.fullmatch(self._subject)
        if (found is not None and found["breaking"]) or _BREAKING.search(self.message):
            return Change.BREAKING
        return Change.REPAIR if found is None else _CHANGES.get(found["type"], Change.REPAIR)

    @property
    def what(self) -> str:
        """The subject, without its type and scope."""
        found = _CONVENTIONAL.fullmatch(self._subject)
        return self._subject if found is None else found["what"]

    @property
    def _subject(self) -> str:
        return self.message.strip().partition("\n")[0].strip()


@dataclass(frozen=True)
class Bump:
    """A service's next version, and the commits that it is for, newest first."""

    service: str
    before: Version
    version: Version
    commits: tuple[Commit, ...]


def bump(service: str, before: Version, commits: Sequence[Commit]) -> Bump | None:
    """The next version of a service that these commits touched; None if they change nothing for its users."""
    change = max((commit.change for commit in commits), default=Change.NONE)
    if change is Change.NONE:
        return None
    return Bump(service, before, before.after(change), tuple(commit for commit in commits if commit.change))
