"""The end-to-end tests as they run after a deployment, against a pipeline that they know by its URL alone.

It stands in for production here; the tests see of it what they would see there.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sim.cloud.aws_client import CREDENTIALS, REGION
from sim.targets.target import Capability, Target

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.needs(Capability.OBJECTS, Capability.QUEUE), pytest.mark.timeout(180)]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The end-to-end tests, with the target `aws`."""
    without = {name: value for name, value in os.environ.items() if not name.startswith(("SIM_", "PYTEST_", "AWS_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--target", "aws", "-n", "0", *arguments]
    return subprocess.run(command, cwd=ROOT, env=without | environment, capture_output=True, text=True, check=False)


def place(target: Target) -> dict[str, str]:
    return {"SIM_URL": target.url, "SIM_TOKEN": target.token()}


def credentials(target: Target) -> dict[str, str]:
    return {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": target.data_plane.endpoint}


def test_with_a_bucket_every_test_passes_or_is_not_applicable_and_nothing_stays(target: Target) -> None:
    before = target.data_plane.object_keys()
    done = run("tests/e2e", SIM_BUCKET=target.data_plane.resources.bucket, **place(target), **credentials(target))
    assert done.returncode == 0, done.stdout
    assert target.token() not in done.stdout
    reasons = set(re.findall(r"^SKIPPED \[\d+\] \S+ (.+)$", done.stdout, re.MULTILINE))
    assert reasons
    assert all(reason.startswith("not applicable: target aws ") for reason in reasons), reasons
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 60
    target.drain(30)
    # A copy that SQS delivers after the clean-up is stored again.
    stored = target.logs()["worker"]
    left = sorted(set(target.data_plane.object_keys()) - set(before))
    assert [key for key in left if stored.count(f'"{key}"') < 2] == []


def test_without_a_bucket_what_it_published_says_which_run_sent_it(target: Target) -> None:
    before = set(target.data_plane.object_keys())
    done = run(
        "tests/e2e/test_refusals.py", "tests/e2e/test_token.py", "tests/e2e/test_idempotency.py", **place(target)
    )
    assert done.returncode == 0, done.stdout
    assert "cannot read the stored objects" in done.stdout
    target.drain(30)
    stored = [json.loads(target.data_plane.object(key).body) for key in set(target.data_plane.object_keys()) - before]
    assert all(
        re.fullmatch(r"End-to-end test <e2e-[0-9a-f]{12}@example\.com>", each["email_sender"]) for each in stored
    )


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "SIM_URL and SIM_TOKEN not set"),
        ({"SIM_URL": "http://127.0.0.1:9", "SIM_TOKEN": "a"}, "is SIM_URL the URL of the API"),
    ],
)
def test_a_pipeline_that_is_not_there_fails_every_test_with_the_remedy(environment: dict[str, str], said: str) -> None:
    done = run("tests/e2e/test_operations.py", **environment)
    assert done.returncode == 1
    assert said in done.stdout
