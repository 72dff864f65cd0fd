"""Uploads of image layers, and the digests that an image's manifest names.

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
    """The digest and size of the layer parts received so far. Nobody pulls from here, so the bytes are not kept."""

    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)


@dataclass
class Layers:
    """The layers of one repository: unfinished uploads by id, and the sizes of finished layers by digest."""

    uploads: dict[str, Upload] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def upload(self, upload_id: str, first: int, last: int, part: bytes) -> int:
        """Adds a part. Returns the index of the last byte received.

        Raises AwsError: UploadNotFoundException, InvalidLayerPartException.
        """
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
        """Finishes an upload. Returns the digest of the layer.

        Raises AwsError: UploadNotFoundException, EmptyUploadException, InvalidLayerException,
        LayerAlreadyExistsException.
        """
        upload = self._found(upload_id)
        if not upload.size:
            raise AwsError("EmptyUploadException", "The layer has no parts.")
        digest = f"sha256:{upload.digest.hexdigest()}"
        if digest not in expected:
            raise AwsError(
                "InvalidLayerException",
                f"The layer's digest is {digest}, but the call expects one of {list(expected)}.",
            )
        del self.uploads[upload_id]
        if digest in self.sizes:
            raise AwsError("LayerAlreadyExistsException", f"The layer {digest} exists already.")
        self.sizes[digest] = upload.size
        return digest

    def availability(self, digests: Collection[str]) -> list[Values]:
        """The layers as BatchCheckLayerAvailability returns them."""
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
    """The digest of a manifest. Raises AwsError, ImageDigestDoesNotMatchException, if the claimed digest differs."""
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    if claimed and claimed != digest:
        raise AwsError(
            "ImageDigestDoesNotMatchException", f"The manifest's digest is {digest}, but the call names {claimed}."
        )
    return digest


def blobs(manifest: str) -> list[str]:
    """The digests of the configuration and layers that a manifest names. Raises AwsError: InvalidParameterException."""
    try:
        parsed = json.loads(manifest)
        configuration = [parsed["config"]["digest"]] if "config" in parsed else []
        return configuration + [each["digest"] for each in parsed.get("layers") or []]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise AwsError(
            "InvalidParameterException", "The image manifest is invalid: it must be JSON that names config and layers."
        ) from None
