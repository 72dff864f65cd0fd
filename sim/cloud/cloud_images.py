"""The images that the local cloud runs from where it is containers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CloudImages:
    """The images of LocalStack with the control plane, of the gateway, and of a registry."""

    control_plane: str
    kit: str
    registry: str
