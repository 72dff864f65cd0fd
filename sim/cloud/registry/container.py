"""The container of the storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sim.host.container import Network, Spec

NAME: Final = "storage"
PORT: Final = 5000
"""The port on which it listens, in its container."""


def storage_spec(image: str, aliases: Mapping[Network, tuple[str, ...]], port: int) -> Spec:
    """A container of the registry's image, published on `port`."""
    # From version 3 on it would look for a collector of traces.
    return Spec(NAME, image, {"OTEL_TRACES_EXPORTER": "none"}, aliases, ports={PORT: port})
