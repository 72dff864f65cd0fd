"""Registers versions in ECR where there is no Docker, and so no image to push."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release.errors import VersionTaken
from release.publish import tags
from sim.cloud.registry.source_image import MEDIA_TYPE, Source

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient


def register(ecr: ECRClient, repository: str, source: Source) -> str:
    """Makes a repository have a version as its source, under the tags of a release. Returns the digest.

    To do it again changes nothing. Raises VersionTaken, or what boto3 raises.
    """
    digest = ""
    for tag in tags(source.version, source.revision):
        try:
            image = ecr.put_image(
                repositoryName=repository,
                imageManifest=source.manifest(),
                imageManifestMediaType=MEDIA_TYPE,
                imageTag=tag,
            )["image"]
        except ecr.exceptions.ImageAlreadyExistsException:
            named = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
            image = named["images"][0]
        except ecr.exceptions.ImageTagAlreadyExistsException:
            raise VersionTaken(
                f"{repository} has {tag} already, and not as the source {source}: a version is published once, "
                "`python -m release bump` makes the next"
            ) from None
        digest = image["imageId"]["imageDigest"]
    return digest
