"""What a request of the registry's protocol is about. Pure.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sim.aws.ecr_authorization import PrivateRegistry

_NAME: Final = r"/v2/(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
_MANIFEST: Final = re.compile(rf"{_NAME}/manifests/(?P<reference>[\w][\w.-]{{0,127}}|sha256:[0-9a-f]{{64}})")
_BLOB: Final = re.compile(rf"{_NAME}/(?P<blob>blobs/(?:uploads/?|sha256:[0-9a-f]{{64}}))")
_TAGS: Final = re.compile(rf"{_NAME}/tags/list")


@dataclass(frozen=True)
class Version:
    """The question whether there is a registry, and whether the client may use it."""


@dataclass(frozen=True)
class Manifest:
    """One image of a repository, by a tag or a digest."""

    repository: str
    reference: str

    @property
    def by_digest(self) -> bool:
        """True if the reference is a digest, False if it is a tag."""
        return ":" in self.reference


@dataclass(frozen=True)
class Blob:
    """A layer or a configuration, or the upload of one. `path` is what follows the repository's name."""

    repository: str
    path: str


@dataclass(frozen=True)
class Tags:
    """The list of a repository's tags."""

    repository: str


Route = Version | Manifest | Blob | Tags


def route(target: str) -> Route | None:
    """What the target of a request is about; None if it is nothing that this registry has."""
    path = target.partition("?")[0]
    if path in {"/v2", "/v2/"}:
        return Version()
    if found := _MANIFEST.fullmatch(path):
        return Manifest(found["name"], found["reference"])
    if found := _BLOB.fullmatch(path):
        return Blob(found["name"], found["blob"])
    if found := _TAGS.fullmatch(path):
        return Tags(found["name"])
    return None


def stored(registry: PrivateRegistry, repository: str, path: str) -> str:
    """The target in the storage for something of a repository."""
    return f"/v2/{registry.account}/{registry.region}/{repository}/{path}"
