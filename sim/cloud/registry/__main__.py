"""`python -m sim.cloud.registry IMAGE PORT`: runs the storage, published on PORT, until SIGTERM.

If it cannot, it prints why.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

from sim.cloud.registry.container import storage_spec
from sim.errors import SimError
from sim.host.cleanup import Cleanup
from sim.host.container import Container, Network, new_run
from sim.host.engine import obtain
from sim.host.engine_api import LABEL


def _end(_number: int, _frame: FrameType | None) -> None:
    # A second signal would interrupt the clean-up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def main(image: str, port: int) -> int:
    """Runs the container; the exit status, 1 if it could not be started."""
    signal.signal(signal.SIGTERM, _end)
    run = new_run()
    try:
        with Cleanup() as cleanup:
            cleanup.owns("label", f"{LABEL}={run}")
            obtain(image, lambda _: None)
            Container.create(run, storage_spec(image, {Network.create(run, "registry"): ()}, port))
            while True:
                signal.pause()
    except SimError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
