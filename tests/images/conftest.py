"""One service's image out of all."""

from __future__ import annotations

import pytest

from sim.images.build import Images


@pytest.fixture
def image(images: Images, service: str) -> str:
    """The image of the service."""
    return images.services[service]
