"""An image into ECR under its version: once, and never over another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from release.errors import NotAnImage, VersionTaken
from release.image import Image

_LABEL = "org.opencontainers.image."


class Registry(Protocol):
    """One repository of images."""

    def digests(self, tags: tuple[str, ...]) -> Mapping[str, str]:
        """The digest of each of the tags that is there."""

    def push(self, image: Image, tags: tuple[str, ...]) -> None:
        """Makes the image be there under the tags."""


@dataclass(frozen=True)
class Published:
    """Under which digest a version is there, and which tags were new."""

    version: str
    digest: str
    new: tuple[str, ...]


def tags(version: str, commit: str) -> tuple[str, ...]:
    """What an image is named in the registry: its version, and its version with the commit that it was built from."""
    return (version, f"{version}-{commit[:12]}")


def missing(wanted: tuple[str, ...], digest: str, there: Mapping[str, str]) -> tuple[str, ...]:
    """Which of the wanted tags are to be pushed.

    Raises VersionTaken if `there`, which says which tag has which digest, has one of them for another image.
    """
    for tag in wanted:
        if there.get(tag, digest) != digest:
            raise VersionTaken(
                f"{tag} is there already as {there[tag]}, and this image is {digest}; "
                "a version is published once: `python -m release bump` makes the next"
            )
    return tuple(tag for tag in wanted if tag not in there)


def check(image: Image, version: str, commit: str) -> None:
    """Raises NotAnImage if the image's labels name another version or another commit."""
    for label, wanted in (("version", version), ("revision", commit)):
        said = image.labels.get(_LABEL + label, "")
        if said != wanted:
            raise NotAnImage(
                f"the image's label {label} says {said!r}, the checkout {wanted!r}; "
                "build it from this very commit with `python -m sim.images build`, and nothing changed"
            )


def publish(image: Image, version: str, commit: str, registry: Registry) -> Published:
    """Pushes what is missing. Raises VersionTaken, NotAnImage."""
    check(image, version, commit)
    wanted = tags(version, commit)
    new = missing(wanted, image.digest, registry.digests(wanted))
    if new:
        registry.push(image, new)
    return Published(version, image.digest, new)
