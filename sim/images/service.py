"""The images of the services: how they are named, and what their labels say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.pipeline.version import version
from sim.host.command import CommandFailed, run
from sim.images import engine

SERVICES = ("api", "worker")

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Revision:
    """A commit's id, with `-dirty` after it if files changed since, and its time in Unix seconds."""

    id: str
    time: int


def image(service: str) -> str:
    """The image of the service in its present version, such as `services/api:0.1.0`."""
    return f"services/{service}:{version(service)}"


def build(service: str, python: str, source: str = "") -> str:
    """Builds the service's image on the image `python` and names it; `source` is the URL of the repository.

    Raises CommandFailed.
    """
    revision = _revision()
    name = image(service)
    engine.build(
        name,
        dockerfile=_ROOT / "services" / service / "Dockerfile",
        context=_ROOT,
        arguments=arguments(version(service), python, source, revision),
        environment={"SOURCE_DATE_EPOCH": str(revision.time)} if revision else {},
    )
    return name


def arguments(version: str, python: str, source: str, revision: Revision | None) -> Mapping[str, str]:
    """The ARGs of a service's Dockerfile; of what is not known the Dockerfile has its own word."""
    given = {"BASE_IMAGE": python, "VERSION": version, "SOURCE": source, "REVISION": revision.id if revision else ""}
    return {name: value for name, value in given.items() if value}


def _revision() -> Revision | None:
    """None where git knows of no commit."""
    git = ["git", "-C", str(_ROOT)]
    try:
        described = run([*git, "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"], remedy="")
        time = run([*git, "log", "-1", "--format=%ct"], remedy="")
    except CommandFailed:
        return None
    return Revision(described.strip(), int(time))
