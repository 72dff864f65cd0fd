"""Pulls images from ECR, as the agent of a container instance does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release.docker_client import logged_in
from sim.host.engine import engine

if TYPE_CHECKING:
    from types_boto3_ecr.type_defs import AuthorizationDataTypeDef

_REMEDY = "`aws ecr describe-images` shows the images of a repository."


def pull(image: str, authorization: AuthorizationDataTypeDef) -> str:
    """Pulls an image such as `REPOSITORY_URI@DIGEST`. Returns its id in the engine, by which containers are started.

    `authorization` is one of what GetAuthorizationToken answers. The login is forgotten after the pull. Raises
    EngineFailed with the words of Docker and ECR, also if the image is registered as the source of a version.
    """
    server = image.partition("/")[0]
    with engine(_REMEDY), logged_in(server, authorization["authorizationToken"]) as docker:
        docker.image.pull(image, quiet=True)
        return docker.image.inspect(image).id
