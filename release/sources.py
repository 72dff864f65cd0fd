"""What each service is made of, and so which services a change touches."""

from __future__ import annotations

from collections.abc import Iterable

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
