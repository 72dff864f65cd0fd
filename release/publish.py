"""An image into ECR under its version: once, and never over another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from release.errors import NotAnImage, NotAVersion, NotPublished, VersionTaken
from release.image import Image
from release.versions import Version

PLATFORM = "linux/amd64"
_COMMIT = re.compile(r"[0-9a-f]{12}")
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


def deployed(environment: str, digest: str) -> str:
    """The tag that keeps an image that an environment runs or ran from being expired.

    It names the image too, so that it never moves to another: tags are immutable. The life-cycle rule of the
    repositories knows it by how it begins (`terraform/modules/repository`).
    """
    return f"deployed-{environment}-{digest.removeprefix('sha256:')[:12]}"


def revision(tags: Iterable[str]) -> str:
    """The commit (its first 12 digits) that an image was built from, by the tags it has. Raises NotPublished."""
    for tag in tags:
        version, _, commit = tag.rpartition("-")
        if _is_version(version) and _COMMIT.fullmatch(commit):
            return commit
    raise NotPublished(
        f"none of the tags {', '.join(tags) or '(none)'} says which commit the image was built from; "
        "`python -m release publish` gives it one"
    )


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


def check(image: Image, version: str, commit: str, platform: str, base: str) -> None:
    """Raises NotAnImage if the image is for another platform, or was built on another base image, or its labels name
    another version or another commit."""
    if image.platform != platform:
        raise NotAnImage(
            f"the image is for {image.platform}, and the instances are {platform}; build it with "
            f"`DOCKER_DEFAULT_PLATFORM={platform}`, or name the instances' platform with --platform"
        )
    built_on = image.labels.get(f"{_LABEL}base.name", "")
    if _pinned(built_on) != _pinned(base):
        raise NotAnImage(
            f"the image was built on {built_on or 'a base that no label names'}, and a release is built on "
            f"{base or 'none'}; build it where that can be pulled, with no BASE_IMAGE in the environment and in .env"
        )
    for label, wanted in (("version", version), ("revision", commit)):
        said = image.labels.get(_LABEL + label, "")
        if said != wanted:
            raise NotAnImage(
                f"the image's label {label} says {said!r}, the checkout {wanted!r}; "
                "build it from this very commit with `python -m sim.images build`, and nothing changed"
            )


def publish(
    image: Image, version: str, commit: str, registry: Registry, platform: str = PLATFORM, *, base: str = ""
) -> Published:
    """Pushes what is missing; `platform` is the instances', `base` the image to build on, "" for none.

    Raises VersionTaken, NotAnImage.
    """
    check(image, version, commit, platform, base)
    wanted = tags(version, commit)
    new = missing(wanted, image.digest, registry.digests(wanted))
    if new:
        registry.push(image, new)
    return Published(version, image.digest, new)


def _pinned(base: str) -> str:
    """The digest of a base image, by which it is the same in every registry; its name if it has none."""
    return base.rpartition("@")[2]


def _is_version(text: str) -> bool:
    try:
        Version.parse(text)
    except NotAVersion:
        return False
    return True
