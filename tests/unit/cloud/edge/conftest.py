"""The running edge of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cloud.edge.running import Running


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Running]:
    """An edge without a load balancer."""
    running = Running(tmp_path)
    yield running
    running.stop()
