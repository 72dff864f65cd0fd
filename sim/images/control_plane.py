"""The image of LocalStack with the control plane in it."""

from __future__ import annotations

from pathlib import Path

from sim.images import engine
from sim.images.base_image import LOCALSTACK_VERSION

IMAGE = f"sim/localstack:{LOCALSTACK_VERSION}"
"""In the version of what it is built on."""

_HERE = Path(__file__).parent


def build(localstack: str) -> None:
    """Builds it on the image `localstack`. Raises CommandFailed."""
    dockerfile = _HERE / "control-plane.Dockerfile"
    engine.build(IMAGE, dockerfile=dockerfile, context=_HERE.parent / "cloud", arguments={"BASE_IMAGE": localstack})
