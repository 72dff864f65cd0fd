"""The image of the gateway in front of LocalStack."""

from __future__ import annotations

from pathlib import Path

from sim.images import engine

IMAGE = "sim/gateway:unreleased"
"""Of no version: it is part of the kit and never ships."""

_ROOT = Path(__file__).resolve().parents[2]


def build(python: str) -> None:
    """Builds it on the image `python`. Raises CommandFailed."""
    dockerfile = Path(__file__).with_name("gateway.Dockerfile")
    engine.build(IMAGE, dockerfile=dockerfile, context=_ROOT, arguments={"BASE_IMAGE": python})
