"""What the worker needs to be told, and what it says when it is not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from services.worker.settings import Settings

ENVIRONMENT = {"AWS_REGION": "eu-central-1", "QUEUE_URL": "https://sqs.invalid/queue", "BUCKET": "emails"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_what_must_be_told_is_enough() -> None:
    settings = Settings.from_environment()
    assert (settings.aws_region, settings.queue_url, settings.bucket) == tuple(ENVIRONMENT.values())
    assert (settings.prefix, settings.receive_wait_seconds, settings.poll_interval_seconds) == ("emails/", 20, 0)


@pytest.mark.parametrize(
    ("changed", "good"),
    [
        ({"HEARTBEAT_SECONDS": "37"}, False),
        ({"HEARTBEAT_SECONDS": "38"}, True),
        ({"POLL_INTERVAL_SECONDS": "33"}, False),
        ({"POLL_INTERVAL_SECONDS": "32"}, True),
        ({"RECEIVE_WAIT_SECONDS": "0", "HEARTBEAT_SECONDS": "18"}, True),
    ],
)
def test_a_heartbeat_must_outlast_a_poll(
    changed: dict[str, str], good: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    if good:
        assert Settings.from_environment()
        return
    with pytest.raises(SystemExit) as caught:
        Settings.from_environment()
    assert caught.value.code == 2
    [line] = capsys.readouterr().err.splitlines()[1:]
    assert line.startswith("  HEARTBEAT_SECONDS must be more than")


def test_the_service_does_not_start_without_its_environment() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    ended = subprocess.run(
        [sys.executable, "-m", "services.worker"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2
    assert all(name in ended.stderr for name in ENVIRONMENT)
    assert "Traceback" not in ended.stderr
