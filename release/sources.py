"""What each service is made of, and so which services a change touches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from release.errors import NoBaseImage

SERVICES = ("api", "worker")

_SHARED = ("services/__init__.py", "services/pipeline/")
_WRITTEN_BY_A_RELEASE = ("version.txt", "CHANGELOG.md")


def sources(service: str) -> tuple[str, ...]:
    """The files and folders that the service's image is made of, its lock among them, from the repository's root."""
    return (*_SHARED, f"services/{service}/")


def touched(paths: Iterable[str]) -> tuple[str, ...]:
    """The services that a change of these files touches. What a release itself writes touches none."""
    changed = [path for path in paths if path.rpartition("/")[2] not in _WRITTEN_BY_A_RELEASE]
    return tuple(service for service in SERVICES if any(path.startswith(sources(service)) for path in changed))


def base_image(checkout: Path, service: str) -> str:
    """The official image that a service is built on, as its Dockerfile has it. Raises NoBaseImage."""
    dockerfile = checkout / "services" / service / "Dockerfile"
    text = dockerfile.read_text(encoding="utf-8") if dockerfile.is_file() else ""
    found = re.search(r"^ARG BASE_IMAGE=(\S+)$", text, re.MULTILINE)
    if found is None:
        raise NoBaseImage(f"{dockerfile} has no line `ARG BASE_IMAGE=...`, which names what the {service} is built on")
    return found[1]
