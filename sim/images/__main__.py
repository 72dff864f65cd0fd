"""`python -m sim.images build [--offline]`: every image that a stack of containers runs from.
`python -m sim.images sbom DIRECTORY`: what is inside the services' images.

The first prints the images' names as environment variables, one a line, as `docker compose --env-file` reads them;
the second the files that it has written.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from sim.errors import SimError
from sim.images import engine, sbom
from sim.images.base_image import OFFLINE, choose
from sim.images.build import build
from sim.images.rootfs import default_cache


def _progress(step: str) -> None:
    print(f"{time.strftime('%T')} {step}", file=sys.stderr)


def _build(*, offline: bool) -> list[str]:
    _progress("looking for the base images")
    bases = OFFLINE if offline else choose(os.environ, engine.obtainable)
    cache = default_cache(os.environ)
    images = build(bases, _progress, cache=cache, source=os.environ.get("IMAGE_SOURCE", ""))
    return [f"{name}={image}" for name, image in images.items()]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sim.images", description="The container images.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="fetch or build the base images, and build the services on them")
    building.add_argument("--offline", action="store_true", help="do without an image registry even if one answers")
    listing = commands.add_parser("sbom", help="write down what is inside the services' images, as CycloneDX")
    listing.add_argument("directory", type=Path, help="where to write the files")
    return parser.parse_args()


def main() -> int:
    """Runs the command line; the exit status."""
    options = _options()
    try:
        made = _build(offline=options.offline) if options.command == "build" else sbom.write(options.directory)
    except SimError as error:
        print(error, file=sys.stderr)
        return 1
    print(*made, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
