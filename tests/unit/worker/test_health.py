"""The worker container's health check."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.worker.health import fresh, heartbeat_file

LIMIT = 60


@pytest.fixture
def heartbeat(tmp_path: Path) -> str:
    return str(tmp_path / "heartbeat")


def touch(heartbeat: str, *ages: float) -> None:
    """Each process's file, so many seconds ago."""
    for number, age in enumerate(ages):
        file = Path(heartbeat_file(heartbeat, number))
        file.touch()
        os.utime(file, (0, time.time() - age))


@pytest.mark.parametrize(
    ("ages", "good"),
    [
        ([0, 0], True),
        ([LIMIT - 10, 0], True),
        ([LIMIT, 0], False),
        ([0, LIMIT], False),
        ([10**6, 10**6], False),
        ([0], False),
        ([], False),
    ],
)
def test_a_worker_is_well_while_each_of_its_processes_has_been_heard(
    heartbeat: str, ages: list[float], good: bool
) -> None:
    touch(heartbeat, *ages)
    assert fresh(heartbeat, 2, LIMIT) is good


@pytest.mark.parametrize(("age", "status"), [(0, 0), (40, 1)])
def test_the_exit_status_says_it(heartbeat: str, age: float, status: int) -> None:
    touch(heartbeat, age)
    environment = {"HEARTBEAT_FILE": heartbeat, "HEARTBEAT_SECONDS": "30", "PROCESSES": "1"}
    check = subprocess.run([sys.executable, "-m", "services.worker.health"], env=environment, check=False)
    assert check.returncode == status
