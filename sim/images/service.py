"""The images of the services: how a release names them, and what their labels say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.pipeline.version import version
from sim.host.command import CommandFailed, run
from sim.images.checkout import ROOT

SERVICES = ("api", "worker")
_DIRTY = "-dirty"


@dataclass(frozen=True)
class Revision:
    """A commit's id, with `-dirty` after it if files changed since, and its time in Unix seconds."""

    id: str
    time: int


def released(service: str) -> str:
    """The image of the service in its present version, such as `services/api:0.1.0`."""
    return f"services/{service}:{version(service)}"


def arguments(version: str, source: str, revision: Revision | None) -> Mapping[str, str]:
    """The ARGs of a service's Dockerfile; unknown values use the Dockerfile's defaults.

    The builder itself takes SOURCE_DATE_EPOCH, the time of what it makes: https://docs.docker.com/build/ci/github-actions/reproducible-builds/
    """
    commit = {"REVISION": revision.id, "SOURCE_DATE_EPOCH": str(revision.time)} if revision else {}
    given = {"VERSION": version, "SOURCE": source, **commit}
    return {name: value for name, value in given.items() if value}


def revision(commit: str = "") -> Revision | None:
    """A commit by its id, by default the one that is checked out; None where git knows of none."""
    git = ["git", "-C", str(ROOT)]
    try:
        found = (
            commit
            or run([*git, "describe", "--always", "--abbrev=40", f"--dirty={_DIRTY}", "--exclude=*"], remedy="").strip()
        )
        time = run([*git, "log", "-1", "--format=%ct", found.removesuffix(_DIRTY), "--"], remedy="")
    except CommandFailed:
        return None
    return Revision(found, int(time))
