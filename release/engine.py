"""The Docker engine that has the image of a release: what the image is, and its push into ECR."""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException

from release.docker_client import account_of, logged_in
from release.errors import CommandFailed, NotAnImage

_INDEXES: Final = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)


@dataclass(frozen=True)
class Image:
    """An image that the engine has.

    `id` is the digest of its configuration, or, in an engine that keeps images as containerd does, of its manifest.
    `platform` is the operating system and the architecture, such as linux/amd64.
    """

    id: str
    labels: Mapping[str, str]
    platform: str


def image(name: str) -> Image:
    """The image with this name. Raises CommandFailed, or NotAnImage if it is an index of images."""
    docker = DockerClient()
    with _failing(f"`docker image ls` shows the images; {name} is to be among them"):
        found = docker.image.inspect(name)
        if _keeps_indexes(docker) and _is_index(docker, name):
            raise NotAnImage(
                f"{name} is an index, of images for several platforms or of an image and what attests it. Docker "
                "pushes each part of an index under the same tag, which ECR refuses where tags are immutable; build "
                "the image for one platform with `--provenance=false`"
            )
        return Image(found.id, found.config.labels or {}, f"{found.os}/{found.architecture}")


def push(image: Image, name: str, token: str) -> None:
    """Pushes the image under the name, which begins with the registry's host. Raises CommandFailed.

    The engine has the image under that name only for as long as it is pushed, and nobody is logged in after it.
    """
    with (
        _failing("run the same again: what was pushed already is not pushed again"),
        logged_in(name.partition("/")[0], token) as docker,
    ):
        docker.image.tag(image.id, name)
        try:
            docker.image.push(name, quiet=True)
        finally:
            docker.image.remove(name)


def _keeps_indexes(docker: DockerClient) -> bool:
    """True if the engine keeps images as containerd does: https://docs.docker.com/engine/storage/containerd/"""
    status = docker.system.info().driver_status or []
    return any(value.startswith("io.containerd.snapshotter") for pair in status for value in pair)


def _is_index(docker: DockerClient, name: str) -> bool:
    """True if a name is that of an index. Engines before 28 say that of an image only where they save it."""
    with tempfile.TemporaryDirectory(prefix="docker-save-") as folder:
        archive = Path(folder) / "image.tar"
        docker.image.save(name, output=archive)
        with tarfile.open(archive) as tar, tar.extractfile("index.json") as index:  # type: ignore[union-attr]  # a file
            return any(each["mediaType"] in _INDEXES for each in json.load(index)["manifests"])


@contextmanager
def _failing(remedy: str) -> Iterator[None]:
    """Turns what Docker's client raises into CommandFailed."""
    try:
        yield
    except DockerException as error:
        raise CommandFailed(account_of(error, remedy)) from None
