"""Every image that a stack of containers runs from, pulled or built."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

from services.pipeline.version import version
from sim.cloud.cloud_images import CloudImages
from sim.cloud.registry.source_image import Source
from sim.host.engine import engine, obtain
from sim.images import service
from sim.images.base_image import BaseImages
from sim.images.checkout import ROOT, identity

TAG: Final = f"checkout-{identity()}"
"""Of all that is built here, so that no other checkout's images take its place."""

_IGNORED: Final = ".dockerignore"


@dataclass(frozen=True)
class Images:
    """The names of all images."""

    bases: BaseImages
    control_plane: str
    """LocalStack with the control plane in it."""
    kit: str
    """The gateway, and what else of the kit runs in containers."""
    services: Mapping[str, str]

    def settings(self) -> dict[str, str]:
        """As settings that compose takes."""
        services = {f"{name.upper()}_IMAGE": image for name, image in self.services.items()}
        return {**self.bases.settings(), "CONTROL_PLANE_IMAGE": self.control_plane, "KIT_IMAGE": self.kit, **services}


def build(settings: Mapping[str, str | None], progress: Callable[[str], None]) -> Images:
    """Pulls the base images that the engine does not have, and builds from this checkout what runs on them.

    IMAGE_SOURCE among the settings is the URL of the repository, for the services' labels. Raises EngineFailed.
    """
    bases, cloud = BaseImages.of(settings), build_cloud(settings, progress)
    revision, source = service.revision(), settings.get("IMAGE_SOURCE") or ""
    services = {
        name: _built(
            f"services/{name}",
            f"services/{name}/Dockerfile",
            bases.python,
            progress,
            service.arguments(version(name), source, revision),
        )
        for name in service.SERVICES
    }
    return Images(bases, cloud.control_plane, cloud.kit, services)


def build_cloud(settings: Mapping[str, str | None], progress: Callable[[str], None]) -> CloudImages:
    """Does the same for the images of the local cloud alone. Raises EngineFailed."""
    bases = BaseImages.of(settings)
    for base in (bases.python, bases.localstack, bases.registry):
        obtain(base, progress)
    return CloudImages(
        _built("sim/localstack", "sim/images/control-plane.Dockerfile", bases.localstack, progress),
        _built("sim/kit", "sim/images/kit.Dockerfile", bases.python, progress),
        bases.registry,
    )


@contextmanager
def built(source: Source, bases: BaseImages) -> Iterator[str]:
    """An image of a copy of the checkout, which the engine has under this name inside the block. Raises EngineFailed.

    The copy's version file then has its version, as the Dockerfile demands.
    """
    (source.folder / "services" / source.service / "version.txt").write_text(f"{source.version}\n")
    # So that the image is made of the same files as that of a checkout.
    shutil.copy(ROOT / _IGNORED, source.folder)
    image = f"services/{source.service}:{TAG}-{token_hex(4)}"
    build_image(
        image,
        dockerfile=source.folder / "services" / source.service / "Dockerfile",
        context=source.folder,
        arguments={
            "BASE_IMAGE": bases.python,
            **service.arguments(source.version, "", service.revision(source.revision)),
        },
    )
    try:
        yield image
    finally:
        with engine("`docker image ls` shows what is left.") as docker:
            docker.image.remove(image)


def by_id(images: Images) -> Images:
    """The same images, whatever becomes of their names while containers of them are started. Raises EngineFailed."""
    services = {name: id_of(image) for name, image in images.services.items()}
    return Images(images.bases, id_of(images.control_plane), id_of(images.kit), services)


def cloud_by_id(images: CloudImages) -> CloudImages:
    """The same images of the local cloud, whatever becomes of their names. Raises EngineFailed."""
    return CloudImages(id_of(images.control_plane), id_of(images.kit), images.registry)


def cloud_images(images: Images) -> CloudImages:
    """Those of the local cloud."""
    return CloudImages(images.control_plane, images.kit, images.bases.registry)


def _built(
    repository: str,
    dockerfile: str,
    base: str,
    progress: Callable[[str], None],
    arguments: Mapping[str, str] | None = None,
) -> str:
    image = f"{repository}:{TAG}"
    progress(f"{image} on {base}")
    build_image(image, dockerfile=ROOT / dockerfile, context=ROOT, arguments={"BASE_IMAGE": base, **(arguments or {})})
    return image


def build_image(image: str, *, dockerfile: Path, context: Path, arguments: Mapping[str, str]) -> None:
    """Builds a Dockerfile; `arguments` are its ARGs. Raises EngineFailed."""
    with engine("`docker build` of the same shows every step.") as docker:
        docker.build(
            context,
            file=dockerfile,
            tags=image,
            build_args=dict(arguments),
            load=True,
            progress=False,
            # Attestations would make an index of it, with another digest each time.
            provenance=False,
        )


def tag(image: str, other: str) -> None:
    """Gives an image another name as well. Raises EngineFailed."""
    with engine("`docker image ls` shows the images.") as docker:
        docker.image.tag(image, other)


def id_of(image: str) -> str:
    """By which an image is meant whatever becomes of its name. Raises EngineFailed."""
    with engine("`python -m sim.images build` builds the images.") as docker:
        return docker.image.inspect(image).id
