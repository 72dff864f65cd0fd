"""What the unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim.world.virtual_time import WorldRuntime
from tests.unit.virtual import virtual_runtime


@pytest.fixture
def runtime() -> Iterator[WorldRuntime]:
    """Virtual time that starts at 0."""
    runtime = virtual_runtime()
    yield runtime
    runtime.scheduler.close()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that are none, so that boto3 looks for no others."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
