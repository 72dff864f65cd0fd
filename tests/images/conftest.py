"""One service's image out of all."""

from __future__ import annotations

import pytest


@pytest.fixture
def image(images: dict[str, str], service: str) -> str:
    """The image of the service."""
    return images[f"{service.upper()}_IMAGE"]
