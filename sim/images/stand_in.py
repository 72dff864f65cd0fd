"""Local images that stand for a project's repositories: the engine's own, or built from a Dockerfile's folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from sim.errors import SimError
from sim.host.engine import obtain
from sim.images.base_image import BaseImages, settings
from sim.images.build import build_image

_DOCKERFILE: Final = "Dockerfile"
_BASE: Final = re.compile(r"^\s*ARG\s+BASE_IMAGE\b", re.MULTILINE | re.IGNORECASE)


class BadImage(SimError):
    """The caller did not write REPOSITORY=FOLDER or REPOSITORY=IMAGE, or the folder has no Dockerfile."""


def given(assignments: Iterable[str]) -> dict[str, str]:
    """Folders and images by repository, from REPOSITORY=FOLDER|IMAGE on the command line. Raises BadImage.

    A folder is named by its whole path then.
    """
    found = {}
    for each in assignments:
        repository, equals, image = each.partition("=")
        if not (repository and equals and image):
            raise BadImage(f"{each!r} names no image: write REPOSITORY=FOLDER or REPOSITORY=IMAGE, such as web=./web")
        folder = Path(image)
        if folder.is_dir() and not (folder / _DOCKERFILE).is_file():
            raise BadImage(f"the folder {image} has no {_DOCKERFILE}, so that no image can be built for {repository}")
        found[repository] = str(folder.absolute()) if folder.is_dir() else image
    return found


def made(repository: str, image: str, run: str, progress: Callable[[str], None]) -> str:
    """The name of the image for a repository: built if `image` is a folder, and else the engine's own or pulled.

    A built one is named `RUN/...`. A Dockerfile with the argument BASE_IMAGE gets the setting of this name. Raises
    EngineFailed.
    """
    folder = Path(image)
    if not folder.is_dir():
        obtain(image, progress)
        return image
    name = f"{run}/{re.sub(r'[^a-z0-9]+', '-', repository.lower()).strip('-')}:local"
    progress(f"building {image} as {repository}")
    dockerfile = folder / _DOCKERFILE
    based = _BASE.search(dockerfile.read_text(errors="replace"))
    base = {"BASE_IMAGE": BaseImages.of(settings(os.environ)).python} if based else {}
    build_image(name, dockerfile=dockerfile, context=folder, arguments=base)
    return name
