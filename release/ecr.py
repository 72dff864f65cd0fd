"""A repository in ECR, by ECR's own API.

`docker push` ends in the same calls, made by ECR's proxy. Made here they need no engine, no login and no credentials in
a file, and can be rehearsed wherever ECR's API is answered.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from release.errors import NotAVersion, NotPublished
from release.image import INDEX, MANIFEST, Image
from release.versions import Version

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

_SHOWN = 5
_MEDIA_TYPES = [
    MANIFEST,
    INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
]
"""What an image may be kept as. As another of them it would have another digest."""


class Repository:
    """One repository of images. Every method raises what boto3 raises."""

    def __init__(self, ecr: ECRClient, name: str) -> None:
        self._ecr = ecr
        self._name = name

    def digests(self, tags: tuple[str, ...]) -> Mapping[str, str]:
        """The digest of each of the tags that is there."""
        found: dict[str, str] = {}
        # One by one: two tags of one image are one image in some answers.
        for tag in tags:
            answer = self._ecr.batch_get_image(
                repositoryName=self._name, imageIds=[{"imageTag": tag}], acceptedMediaTypes=[MANIFEST]
            )
            for image in answer["images"]:
                found[tag] = image["imageId"]["imageDigest"]
        return found

    def digest(self, version: str) -> str:
        """The digest of a version; of a digest, itself, if it is there. Raises NotPublished."""
        name = {"imageDigest": version} if version.startswith("sha256:") else {"imageTag": version}
        try:
            [image] = self._ecr.describe_images(repositoryName=self._name, imageIds=[name])["imageDetails"]  # type: ignore[list-item]  # one of two keys
        except self._ecr.exceptions.ImageNotFoundException:
            raise NotPublished(
                f"{self._name} has no {version}; it has {', '.join(self.newest()) or 'nothing yet'}: "
                "publish it first, or choose one of these"
            ) from None
        return image["imageDigest"]

    def tags(self, digest: str) -> list[str]:
        """Every tag of the image with this digest."""
        [image] = self._ecr.describe_images(repositoryName=self._name, imageIds=[{"imageDigest": digest}])[
            "imageDetails"
        ]
        return image.get("imageTags", [])

    def newest(self) -> list[str]:
        """The newest versions, the newest first."""
        pages = self._ecr.get_paginator("describe_images").paginate(repositoryName=self._name)
        tags = [tag for page in pages for image in page["imageDetails"] for tag in image.get("imageTags", [])]
        return [str(each) for each in sorted(filter(None, map(_version, tags)), reverse=True)[:_SHOWN]]

    def tag(self, digest: str, tag: str) -> None:
        """Gives an image that is there one more tag. Raises NotPublished.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-retag.html
        """
        answer = self._ecr.batch_get_image(
            repositoryName=self._name, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=_MEDIA_TYPES
        )
        if not answer["images"]:
            raise NotPublished(f"{self._name} has no {digest}; publish it again from the commit of its version")
        [image, *_] = answer["images"]
        with suppress(self._ecr.exceptions.ImageAlreadyExistsException):
            self._ecr.put_image(
                repositoryName=self._name,
                imageManifest=image["imageManifest"],
                imageManifestMediaType=image.get("imageManifestMediaType", MANIFEST),
                imageTag=tag,
                imageDigest=digest,
            )

    def push(self, image: Image, tags: tuple[str, ...]) -> None:
        """Makes the image be there under the tags: what is missing of its blobs first, its manifest last."""
        known = self._ecr.batch_check_layer_availability(repositoryName=self._name, layerDigests=list(image.blobs))
        there = {layer["layerDigest"] for layer in known["layers"] if layer["layerAvailability"] == "AVAILABLE"}
        for digest, blob in image.blobs.items():
            if digest not in there:
                self._upload(digest, blob)
        for tag in tags:
            # Another publish of the same image may be as far.
            with suppress(self._ecr.exceptions.ImageAlreadyExistsException):
                self._ecr.put_image(
                    repositoryName=self._name,
                    imageManifest=image.manifest,
                    imageManifestMediaType=MANIFEST,
                    imageTag=tag,
                    imageDigest=image.digest,
                )

    def _upload(self, digest: str, blob: bytes) -> None:
        begun = self._ecr.initiate_layer_upload(repositoryName=self._name)
        upload, size = begun["uploadId"], begun["partSize"]
        for first in range(0, len(blob), size):
            part = blob[first : first + size]
            self._ecr.upload_layer_part(
                repositoryName=self._name,
                uploadId=upload,
                partFirstByte=first,
                partLastByte=first + len(part) - 1,
                layerPartBlob=part,
            )
        with suppress(self._ecr.exceptions.LayerAlreadyExistsException):
            self._ecr.complete_layer_upload(repositoryName=self._name, uploadId=upload, layerDigests=[digest])


def _version(tag: str) -> Version | None:
    try:
        return Version.parse(tag)
    except NotAVersion:
        return None
