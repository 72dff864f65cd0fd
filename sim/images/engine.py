"""The docker commands that making images takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sim.host.command import CommandFailed, run

_REMEDY = "`.ci/docker-engine status` says whether an engine answers, `.ci/docker-engine start` starts one."
_BUILD_REMEDY = "Without --quiet it shows every step."


def exists(image: str) -> bool:
    """Whether the engine holds the image. Raises CommandFailed if no engine answers."""
    return bool(run(["docker", "image", "ls", "--quiet", image], remedy=_REMEDY).strip())


def pull(image: str) -> None:
    """Fetches the image from its registry. Raises CommandFailed."""
    run(
        ["docker", "pull", "--quiet", image],
        remedy="`python -m sim.images build --offline` does without an image registry.",
    )


def obtainable(image: str) -> bool:
    """Whether the engine holds the image, or does now that it was asked to fetch it."""
    if exists(image):
        return True
    try:
        pull(image)
    except CommandFailed:
        return False
    return True


def import_tarball(tarball: Path, image: str) -> None:
    """Makes an image of a single layer from a root file system. Raises CommandFailed."""
    run(["docker", "import", str(tarball), image], remedy=_REMEDY)


def build(
    image: str,
    *,
    dockerfile: Path,
    context: Path,
    arguments: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
) -> None:
    """Builds a Dockerfile; `arguments` are its ARGs, `environment` is the builder's own. Raises CommandFailed."""
    options = [option for name, value in arguments.items() for option in ("--build-arg", f"{name}={value}")]
    run(
        ["docker", "build", "--quiet", "--file", str(dockerfile), "--tag", image, *options, str(context)],
        remedy=_BUILD_REMEDY,
        environment=environment,
    )
