"""How a version gets into the local cloud's ECR: as an image, or, where tasks are processes, as the source of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from release import engine
from release.ecr import Repository
from release.publish import publish
from sim.cloud.registry.register import register
from sim.cloud.registry.source_image import Source
from sim.images.base_image import BaseImages, settings
from sim.images.build import built
from sim.images.source import check_packages
from sim.targets.target import TaskRuntime

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

Publish = Callable[["ECRClient", Source], None]
"""Makes ECR have a copy of the checkout as a version. Raises SimError, ReleaseError, or what boto3 raises."""
_LABEL: Final = "org.opencontainers.image."


def repository(service: str) -> str:
    """The name of a service's repository in ECR."""
    return f"emails/{service}"


def publish_source(ecr: ECRClient, source: Source) -> None:
    """Registers the copy itself, which only runs as processes, with the packages of this checkout."""
    check_packages(source)
    register(ecr, repository(source.service), source)


def publish_image(ecr: ECRClient, source: Source) -> None:
    """Builds an image of the copy, and pushes it. The engine does not keep it."""
    with built(source, BaseImages.of(settings(os.environ))) as image:
        push(ecr, source.service, source.version, image)


def push(ecr: ECRClient, service: str, version: str, image: str) -> None:
    """Pushes an image of the engine under the tags of a release, as `release publish` does."""
    found = engine.image(image)
    commit, base = (found.labels.get(_LABEL + name, "") for name in ("revision", "base.name"))
    publish(found, version, commit, Repository(ecr, repository(service)), found.platform, base=base)


PUBLISH: Final[Mapping[TaskRuntime, Publish]] = {
    TaskRuntime.PROCESS: publish_source,
    TaskRuntime.DOCKER: publish_image,
}
"""What a task of each kind can run."""
