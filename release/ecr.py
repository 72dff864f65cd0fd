"""A repository in ECR. Images are pushed to it by Docker, as AWS documents it, and everything else is ECR's API.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from release import engine
from release.engine import Image
from release.errors import NotAVersion, NotPublished
from release.publish import Pushed, pushed
from release.versions import Version

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

_SHOWN = 5
_MEDIA_TYPES = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
]
"""What an image may be kept as. As another of them it would have another digest."""


class Repository:
    """One repository of images. Every method raises what boto3 raises."""

    def __init__(self, ecr: ECRClient, name: str) -> None:
        self._ecr = ecr
        self._name = name

    def found(self, tags: tuple[str, ...]) -> Mapping[str, Pushed]:
        """The image of each of the tags that is there."""
        found: dict[str, Pushed] = {}
        # One by one: two tags of one image are one image in some answers.
        for tag in tags:
            answer = self._ecr.batch_get_image(
                repositoryName=self._name, imageIds=[{"imageTag": tag}], acceptedMediaTypes=_MEDIA_TYPES
            )
            for image in answer["images"]:
                found[tag] = pushed(image["imageId"]["imageDigest"], image["imageManifest"])
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
        try:
            self._ecr.put_image(
                repositoryName=self._name,
                imageManifest=image["imageManifest"],
                imageManifestMediaType=image.get("imageManifestMediaType", _MEDIA_TYPES[0]),
                imageTag=tag,
                imageDigest=digest,
            )
        except (
            self._ecr.exceptions.ImageAlreadyExistsException,
            self._ecr.exceptions.ImageTagAlreadyExistsException,
        ):
            # Another run may be as far.
            if self.found((tag,))[tag].digest != digest:
                raise

    def push(self, image: Image, tag: str) -> None:
        """Pushes an image of the engine under a tag. Raises CommandFailed."""
        [repository] = self._ecr.describe_repositories(repositoryNames=[self._name])["repositories"]
        [authorization] = self._ecr.get_authorization_token()["authorizationData"]
        engine.push(image, f"{repository['repositoryUri']}:{tag}", authorization["authorizationToken"])


def _version(tag: str) -> Version | None:
    try:
        return Version.parse(tag)
    except NotAVersion:
        return None
