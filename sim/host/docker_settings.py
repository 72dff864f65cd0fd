"""What of our environment says which Docker engine is meant."""

from __future__ import annotations

import os

_PASSED = ("HOME", "PATH", "XDG_RUNTIME_DIR")


def docker_environment() -> dict[str, str]:
    """What a child process needs that speaks to the same engine."""
    return {name: value for name, value in os.environ.items() if name in _PASSED or name.startswith("DOCKER_")}
