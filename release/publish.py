"""An image into ECR under its version: once, and never over another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from release.engine import Image
from release.errors import NotAnImage, NotAVersion, NotPublished, VersionTaken
from release.versions import Version

PLATFORM = "linux/amd64"
_COMMIT = re.compile(r"[0-9a-f]{12}")
_LABEL = "org.opencontainers.image."


@dataclass(frozen=True)
class Pushed:
    """An image in the registry: its digest, and the digest of its configuration, None if it is an index of images."""

    digest: str
    configuration: str | None

    def is_the_same(self, image: Image) -> bool:
        """True if it is this image of an engine.

        Layers are compressed on their way into a registry, and not by every tool to the same bytes. So the digests of
        one image may differ; the configuration has the digests of the layers as they are in a container.
        https://github.com/opencontainers/image-spec/blob/main/config.md#imageid
        """
        return image.id in {self.digest, self.configuration}


class Registry(Protocol):
    """One repository of images (`release.ecr.Repository`)."""

    def found(self, tags: tuple[str, ...]) -> Mapping[str, Pushed]:
        """The image of each of the tags that is there."""

    def push(self, image: Image, tag: str) -> None:
        """Pushes an image of the engine under a tag."""

    def tag(self, digest: str, tag: str) -> None:
        """Gives an image that is there one more tag."""


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


def pushed(digest: str, manifest: str) -> Pushed:
    """The image in the registry that has this digest and this manifest."""
    return Pushed(digest, json.loads(manifest).get("config", {}).get("digest"))


def missing(wanted: tuple[str, ...], image: Image, there: Mapping[str, Pushed]) -> tuple[str, ...]:
    """The wanted tags that the registry does not have.

    Raises VersionTaken if `there`, the images by their tags, has another image under one of them.
    """
    for tag in wanted:
        if tag in there and not there[tag].is_the_same(image):
            raise VersionTaken(
                f"{tag} is there already as {there[tag].digest}, and that is not the image {image.id}; "
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
    """Publishes an image of the engine; `platform` is the instances', `base` the image to build on, "" for none.

    It is pushed once. Where it is there under one of its tags, it is given the others, so that it keeps its digest.
    Raises VersionTaken, NotAnImage, NotPublished.
    """
    check(image, version, commit, platform, base)
    wanted = tags(version, commit)
    there = registry.found(wanted)
    new = missing(wanted, image, there)
    if not there:
        registry.push(image, version)
        there = registry.found(wanted)
    absent = missing(wanted, image, there)
    if absent == wanted:
        raise NotPublished(f"{version} was pushed, and the registry does not have it; publish it again")
    digest = next(iter(there.values())).digest
    for tag in absent:
        registry.tag(digest, tag)
    return Published(version, digest, new)


def _pinned(base: str) -> str:
    """The digest of a base image, by which it is the same in every registry; its name if it has none."""
    return base.rpartition("@")[2]


def _is_version(text: str) -> bool:
    try:
        Version.parse(text)
    except NotAVersion:
        return False
    return True
