"""What the services write to standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

from sim.host.process import free_port

SAY = """
import logging
from services.pipeline import aws, log

log.configure("api", "{level}")
logger = logging.getLogger("services.api.app")
logger.debug("in detail")
logger.info("stored\\nfor good", extra={{"message_id": "5f0c"}})
try:
    sqs = aws.client("sqs", "eu-central-1", connections=1, attempts=2)
    sqs.send_message(QueueUrl="http://sqs.invalid/queue", MessageBody="s3cret")
except aws.AWS_ERRORS:
    logger.exception("failed")
"""


def said(level: str) -> tuple[str, list[dict[str, Any]]]:
    """Everything on standard output, and the object on each of its lines."""
    environment = {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{free_port()}",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-c", SAY.format(level=level)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def in_debug() -> tuple[str, list[dict[str, Any]]]:
    return said("DEBUG")


def test_every_line_is_an_object_with_what_was_said(in_debug: tuple[str, list[dict[str, Any]]]) -> None:
    _, lines = in_debug
    assert [line["message"] for line in lines] == ["in detail", "stored\nfor good", "failed"]
    stored = lines[1]
    assert datetime.fromisoformat(stored.pop("timestamp")).tzinfo is not None
    assert stored == {
        "level": "INFO",
        "logger": "services.api.app",
        "message": "stored\nfor good",
        "message_id": "5f0c",
        "service": "api",
    }
    assert "EndpointConnectionError" in lines[2]["exc_info"]


def test_even_at_debug_botocore_logs_no_bodies(in_debug: tuple[str, list[dict[str, Any]]]) -> None:
    assert "s3cret" not in in_debug[0]


def test_what_is_below_the_level_is_not_said() -> None:
    _, lines = said("INFO")
    assert [line["message"] for line in lines] == ["stored\nfor good", "failed"]
