"""What the worker's unit tests share."""

from __future__ import annotations

import pytest

from bench.sample import EMAIL
from services.pipeline.message import Email, Message
from services.worker.settings import Settings
from sim.aws.account import BUCKET, QUEUE_URL
from sim.world.virtual_time import WorldRuntime
from tests.unit import wire
from tests.unit.worker.cloud import Cloud


@pytest.fixture
def email() -> Email:
    """Any e-mail; the kit's own fixture would start a target for it."""
    return EMAIL


@pytest.fixture
def settings() -> Settings:
    """Production's, with four pollers."""
    return Settings(aws_region=wire.REGION, queue_url=QUEUE_URL, bucket=BUCKET, pollers=4)


@pytest.fixture
def cloud(runtime: WorldRuntime, settings: Settings) -> Cloud:
    """An empty queue, an empty bucket, and nothing that fails."""
    return Cloud(runtime, settings)


@pytest.fixture
def bodies(email: Email) -> list[str]:
    """Two hundred messages, as the API has written them."""
    return [
        Message(
            id=f"{number:032x}", received_at=0, data=email.model_copy(update={"email_subject": str(number)})
        ).encode()
        for number in range(200)
    ]
