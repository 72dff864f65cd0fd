"""A version without an image, for a machine without Docker: a manifest that names the version's source.

It is an artifact in OCI's sense, with a type of its own and no layers, so ECR keeps it, tags it and has a digest for it
as for any image. Only a task that runs as a process can run it. Everything else refuses it.
https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

MEDIA_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
_ARTIFACT_TYPE: Final = "application/vnd.email-pipeline.source.v1"
_EMPTY: Final = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "size": 2,
}
"""The JSON object `{}`, which stands for no configuration and for no layers."""
_ANNOTATION: Final = "org.opencontainers.image."


@dataclass(frozen=True)
class Source:
    """The source of a version of a service: the folder that has it, and the commit that it is of."""

    service: str
    version: str
    revision: str
    folder: Path

    def __str__(self) -> str:
        return f"of {self.service} {self.version} in {self.folder}"

    def manifest(self) -> str:
        """The manifest that names it. The same source has the same manifest, and so the same digest."""
        annotations = {
            f"{_ANNOTATION}title": self.service,
            f"{_ANNOTATION}version": self.version,
            f"{_ANNOTATION}revision": self.revision,
            f"{_ANNOTATION}source": self.folder.absolute().as_uri(),
        }
        described = {"schemaVersion": 2, "mediaType": MEDIA_TYPE, "artifactType": _ARTIFACT_TYPE}
        return json.dumps({**described, "config": _EMPTY, "layers": [_EMPTY], "annotations": annotations})


def source_of(manifest: str) -> Source | None:
    """The source that a manifest names; None if it is the manifest of an image."""
    described = json.loads(manifest)
    if described.get("artifactType") != _ARTIFACT_TYPE:
        return None
    title, version, revision, folder = (
        described["annotations"][f"{_ANNOTATION}{name}"] for name in ("title", "version", "revision", "source")
    )
    return Source(title, version, revision, Path(unquote(urlsplit(folder).path)))
