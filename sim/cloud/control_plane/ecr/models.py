"""Layers on their way into a repository, and what an image's manifest says of itself.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field

from sim.cloud.control_plane.call import AwsError, Values

PART_SIZE = 10 * 1024 * 1024


@dataclass
class Upload:
    """The parts of a layer so far. Of the bytes only their digest and number are kept: nobody pulls from here."""

    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)


@dataclass
class Layers:
    """Of one repository: uploads by id, and the sizes of layers by digest."""

    uploads: dict[str, Upload] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def upload(self, upload_id: str, first: int, last: int, part: bytes) -> int:
        """The last byte there is then. Raises AwsError: UploadNotFoundException, InvalidLayerPartException."""
        upload = self._found(upload_id)
        if first != upload.size or last - first + 1 != len(part):
            raise AwsError(
                "InvalidLayerPartException",
                f"The part goes from {first} to {last} and has {len(part)} bytes; byte {upload.size} comes next.",
            )
        upload.digest.update(part)
        upload.size += len(part)
        return upload.size - 1

    def complete(self, upload_id: str, expected: Collection[str]) -> str:
        """The digest of the layer. Raises AwsError: InvalidLayerException, LayerAlreadyExistsException, ..."""
        upload = self._found(upload_id)
        if not upload.size:
            raise AwsError("EmptyUploadException", "The layer has no parts.")
        digest = f"sha256:{upload.digest.hexdigest()}"
        if digest not in expected:
            raise AwsError("InvalidLayerException", f"The layer's digest is {digest}, and not one of {list(expected)}.")
        del self.uploads[upload_id]
        if digest in self.sizes:
            raise AwsError("LayerAlreadyExistsException", f"The layer {digest} is there already.")
        self.sizes[digest] = upload.size
        return digest

    def availability(self, digests: Collection[str]) -> list[Values]:
        """As BatchCheckLayerAvailability tells it."""
        return [
            {"layerDigest": each, "layerAvailability": "AVAILABLE", "layerSize": self.sizes[each]}
            if each in self.sizes
            else {"layerDigest": each, "layerAvailability": "UNAVAILABLE"}
            for each in digests
        ]

    def _found(self, upload_id: str) -> Upload:
        try:
            return self.uploads[upload_id]
        except KeyError:
            raise AwsError("UploadNotFoundException", f"There is no upload {upload_id}.") from None


def manifest_digest(manifest: str, claimed: str | None) -> str:
    """Of a manifest as it is stored. Raises AwsError: ImageDigestDoesNotMatchException."""
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    if claimed and claimed != digest:
        raise AwsError("ImageDigestDoesNotMatchException", f"The manifest's digest is {digest}, and not {claimed}.")
    return digest


def blobs(manifest: str) -> list[str]:
    """The digests of all that an image's manifest is made of. Raises AwsError: InvalidParameterException."""
    try:
        parsed = json.loads(manifest)
        configuration = [parsed["config"]["digest"]] if "config" in parsed else []
        return configuration + [each["digest"] for each in parsed.get("layers") or []]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise AwsError("InvalidParameterException", "The image manifest is not one.") from None
