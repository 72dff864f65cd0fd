"""`python -m services.worker.health`: the container's health check. Exits with 0 while the heartbeat is fresh.

Imports next to nothing, because it runs every few seconds.
"""

import os
import sys
import time


def fresh(path: str, limit_seconds: float) -> bool:
    """Whether the heartbeat file was touched less than `limit_seconds` ago."""
    try:
        return time.time() - os.stat(path).st_mtime < limit_seconds  # noqa: PTH116 - pathlib takes as long as all the rest
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(
        not fresh(
            os.environ.get("HEARTBEAT_FILE", "/tmp/worker.heartbeat"),  # noqa: S108 - as in the settings
            float(os.environ.get("HEARTBEAT_SECONDS", "60")),
        )
    )
