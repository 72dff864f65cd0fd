"""`python -m services.worker.health`: the container's health check. Exits with 0 while every heartbeat is fresh.

Imports next to nothing, because it runs every few seconds.
"""

import os
import sys
import time

# What the settings say too where the environment says nothing; here, because the settings' imports take too long.
HEARTBEAT_FILE = "/tmp/worker.heartbeat"  # noqa: S108 - a tmpfs of its own in the container
HEARTBEAT_SECONDS = 60
PROCESSES = 3


def heartbeat_file(path: str, number: int) -> str:
    """The file that a process of the worker touches."""
    return f"{path}.{number}"


def fresh(path: str, processes: int, limit_seconds: float) -> bool:
    """Whether each process touched its heartbeat file less than `limit_seconds` ago."""
    try:
        # pathlib's import would take as long as all the rest.
        touched = [os.stat(heartbeat_file(path, number)).st_mtime for number in range(processes)]  # noqa: PTH116
    except OSError:
        return False
    return time.time() - min(touched) < limit_seconds


if __name__ == "__main__":
    sys.exit(
        not fresh(
            os.environ.get("HEARTBEAT_FILE", HEARTBEAT_FILE),
            int(os.environ.get("PROCESSES", PROCESSES)),
            float(os.environ.get("HEARTBEAT_SECONDS", HEARTBEAT_SECONDS)),
        )
    )
