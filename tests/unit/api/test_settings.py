"""What the API needs to be told, and what it says when it is not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from services.api.settings import Settings

ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "QUEUE_URL": "https://sqs.invalid/queue",
    "TOKEN_PARAMETER": "/emails/api/token",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    """What is said before the process ends with 2."""
    with pytest.raises(SystemExit) as caught:
        Settings.from_environment()
    assert caught.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err


def test_what_must_be_told_is_enough() -> None:
    settings = Settings.from_environment()
    assert (settings.aws_region, settings.queue_url, settings.token_parameter) == tuple(ENVIRONMENT.values())
    assert (settings.port, settings.log_level, settings.token_cache_seconds) == (8080, "INFO", 60)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(name)
    first, *lines = refusal(capsys).splitlines()
    assert first.startswith("services.api.settings: cannot start")
    assert lines == [f"  {name}: Field required"]


def test_all_that_is_wrong_is_named_and_no_value_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {
        "QUEUE_URL": "s3cret",
        "PORT": "s3cret",
        "LOG_LEVEL": "s3cret",
        "TOKEN_CACHE_SECONDS": "-1",
        "MESSAGE_MAX_BYTES": "2000000",
        "AWS_REGION": "",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    told = refusal(capsys)
    named = {line.strip().partition(":")[0] for line in told.splitlines()[1:]}
    assert named == set(wrong)
    assert "s3cret" not in told


def test_the_service_does_not_start_without_its_environment() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    ended = subprocess.run(
        [sys.executable, "-m", "services.api"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 2
    assert all(name in ended.stderr for name in ENVIRONMENT)
    assert "Traceback" not in ended.stderr
