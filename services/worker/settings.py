"""The worker's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from services.pipeline.aws import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS
from services.pipeline.settings import ServiceSettings
from services.worker import health

BACKOFF_CAP_SECONDS = 10.0
"""The longest wait after a call that failed."""


class Settings(ServiceSettings):
    """The worker's settings. Times in seconds."""

    bucket: str = Field(min_length=3)
    prefix: str = Field("emails/", description="put before every object key as it is")
    receive_wait_seconds: int = Field(20, ge=0, le=20, description="how long one receive waits for a message")
    receive_batch_size: int = Field(10, ge=1, le=10)
    poll_interval_seconds: float = Field(0, ge=0, description="an extra wait between two receives")
    processes: int = Field(
        health.PROCESSES, ge=1, le=16, description="one for each core and one more, because S3 is waited for"
    )
    pollers: int = Field(3, ge=1, le=64, description="receives at once in each process while the queue is deep")
    visibility_timeout_seconds: int = Field(60, ge=1, le=43_200)
    stop_timeout_seconds: float = Field(25, gt=0, description="under the stopTimeout of the task")
    heartbeat_file: Path = Path(health.HEARTBEAT_FILE)
    heartbeat_seconds: float = Field(
        health.HEARTBEAT_SECONDS, gt=0, description="a worker that finished nothing for so long is stuck"
    )
    refused_seconds: float = Field(
        300, gt=0, description="a worker whose every write S3 has refused for good for so long is unhealthy"
    )

    @model_validator(mode="after")
    def _heartbeat_outlasts_a_call(self) -> Self:
        pause = max(self.poll_interval_seconds, BACKOFF_CAP_SECONDS)
        call = pause + self.receive_wait_seconds + CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS
        if self.heartbeat_seconds <= call:
            raise ValueError(f"HEARTBEAT_SECONDS must be more than the {call:g} seconds that a healthy poll may take")
        return self
