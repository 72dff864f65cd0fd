"""What becomes of a command when the process that runs it is to end."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from release.command import run
from release.errors import CommandFailed
from sim.host.waiting import until
from tests.unit.release.conftest import settle

SLOW = """
import pathlib, signal, sys, time

def end(*_):
    pathlib.Path("saving").touch()
    while not pathlib.Path("go on").exists():
        time.sleep(0.01)
    pathlib.Path("saved").touch()
    sys.exit(0)

signal.signal(signal.SIGINT, end)
pathlib.Path("at work").touch()
time.sleep(1000)
"""
"""As Terraform, which saves its state when it is interrupted."""


@pytest.mark.parametrize(
    ("first", "again"), [(signal.SIGINT, (signal.SIGTERM,)), (signal.SIGTERM, (signal.SIGINT, signal.SIGTERM))]
)
def test_whoever_ends_it_once_or_again_waits_until_terraform_has_saved_its_state(
    tmp_path: Path, first: signal.Signals, again: tuple[signal.Signals, ...]
) -> None:
    terraform = tmp_path / "bin/terraform"
    terraform.parent.mkdir()
    program = tmp_path / "slow.py"
    program.write_text(SLOW)
    terraform.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, str(program)])}\n")
    terraform.chmod(0o755)
    root = tmp_path / "terraform/network"
    root.mkdir(parents=True)
    settle(tmp_path, "network")
    infra = ["infra", "network", "--environment", "test", "--state-bucket", "none"]
    with subprocess.Popen(
        [sys.executable, "-m", "release", "--root", str(tmp_path), *infra],
        env={**os.environ, "PATH": f"{terraform.parent}:{os.environ['PATH']}"},
    ) as running:
        try:
            until(root.joinpath("at work").exists, "Terraform to be at work", seconds=20)
            running.send_signal(first)
            until(root.joinpath("saving").exists, "Terraform to be interrupted", seconds=20)
            for each in again:
                running.send_signal(each)
            root.joinpath("go on").touch()
            assert running.wait(20) == 128 + first
            assert root.joinpath("saved").exists()
        finally:
            running.kill()


def test_a_failure_says_what_was_said_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"(?s)ended with 3:\nnot so\ntry another"):
        run(["sh", "-c", "echo not so; exit 3"], directory=tmp_path, remedy="try another")
    with pytest.raises(CommandFailed, match="`no-such-command` is not installed; install it"):
        run(["no-such-command"], directory=tmp_path, remedy="install it")
