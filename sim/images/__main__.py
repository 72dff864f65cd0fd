"""`python -m sim.images build`: every image that a stack of containers runs from.
`python -m sim.images sbom DIRECTORY`: what is inside the services' images.
`python -m sim.images project`: a compose project of its own for this checkout.

The first prints the images' names as settings, one a line, as `docker compose --env-file` reads them, and gives those
of the services the names that a release has; the second prints the files that it has written, the third the name.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sim.errors import SimError
from sim.images import sbom, service
from sim.images.base_image import settings
from sim.images.build import build, tag
from sim.images.checkout import name_project


def _progress(step: str) -> None:
    print(f"{time.strftime('%T')} {step}", file=sys.stderr)


def _build() -> list[str]:
    images = build(settings(os.environ), _progress)
    for name, image in images.services.items():
        tag(image, service.released(name))
    return [f"{name}={image}" for name, image in images.settings().items()]


def _list(directory: Path) -> list[Path]:
    return sbom.write(directory, {name: service.released(name) for name in service.SERVICES})


def _made(options: argparse.Namespace) -> Sequence[str | Path]:
    match options.command:
        case "build":
            return _build()
        case "sbom":
            return _list(options.directory)
        case _:
            return [name_project()]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sim.images", description="The container images.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="pull the base images, and build on them what runs in containers")
    listing = commands.add_parser("sbom", help="write down what is inside the services' images, as CycloneDX")
    listing.add_argument("directory", type=Path, help="where to write the files")
    commands.add_parser("project", help="give this checkout a compose project of its own, in its file .env")
    return parser.parse_args()


def main() -> int:
    """Runs the command line; the exit status."""
    options = _options()
    try:
        made = _made(options)
    except SimError as error:
        print(error, file=sys.stderr)
        return 1
    print(*made, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
