"""What the unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.pipeline.message import Email
from sim.world.virtual_time import WorldRuntime
from tests.unit.virtual import virtual_runtime


@pytest.fixture
def runtime() -> Iterator[WorldRuntime]:
    """Virtual time that starts at 0."""
    runtime = virtual_runtime()
    yield runtime
    runtime.scheduler.close()


@pytest.fixture
def email() -> Email:
    """An e-mail like many. It stands in for the plugin's, which would start a target."""
    return Email(
        email_subject="Happy new year!",
        email_sender="John Doe <john@example.com>",
        email_timestream="1693561101",
        email_content="Just want to say... Happy new year!!!",
    )


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that are none, so that boto3 looks for no others."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
