"""`python -m sim.images build [--offline]`: every image that a stack of containers runs from.

Prints their names as environment variables, one a line, as `docker compose --env-file` reads them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from sim.errors import SimError
from sim.images import engine
from sim.images.base import OFFLINE, choose
from sim.images.build import build
from sim.images.rootfs import default_cache


def _tell(step: str) -> None:
    print(f"{time.strftime('%T')} {step}", file=sys.stderr)


def main() -> int:
    """Runs the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sim.images", description="The container images.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("build", help="fetch or build the base images, and build the services on them")
    command.add_argument("--offline", action="store_true", help="do without an image registry even if one answers")
    options = parser.parse_args()
    try:
        _tell("looking for the base images")
        bases = OFFLINE if options.offline else choose(os.environ, engine.obtainable)
        cache = default_cache(os.environ)
        images = build(bases, _tell, cache=cache, source=os.environ.get("IMAGE_SOURCE", ""))
    except SimError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(f"{name}={image}" for name, image in images.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
