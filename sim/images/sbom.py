"""What is inside the services' images: a software bill of materials (SBOM) of each, by Trivy, without a network.

CycloneDX as JSON: https://cyclonedx.org/specification/overview/
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from services.pipeline.version import version
from sim.host.command import run

_REMEDY = (
    "Trivy comes with `make setup` on Linux on x86-64, elsewhere it is to be in PATH; "
    "`python -m sim.images build` makes the images."
)


def write(directory: Path, images: Mapping[str, str]) -> list[Path]:
    """Writes one for each service's image, named after its present version, as `api-0.1.0.cdx.json`; where they are.

    Raises CommandFailed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    return [_write(image, directory / f"{name}-{version(name)}.cdx.json") for name, image in images.items()]


def scan(image: str, *options: str) -> str:
    """What Trivy says of an image that the engine holds. https://trivy.dev/latest/docs/

    Raises CommandFailed.
    """
    # Of this machine nothing but the image: no configuration of the present folder, no cache, no network.
    alone = ["--config", os.devnull, "--cache-backend", "memory", "--skip-version-check", "--disable-telemetry"]
    return run([_trivy(), "image", "--quiet", *alone, "--image-src", "docker", *options, image], remedy=_REMEDY)


def _write(image: str, file: Path) -> Path:
    file.write_text(scan(image, "--format", "cyclonedx"))
    return file


def _trivy() -> str:
    """The one of this environment, or else the one in PATH."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    return shutil.which("trivy", path=path) or "trivy"
