"""What becomes of a command when the process that runs it is to end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from release.command import run
from release.errors import CommandFailed
from sim.host.waiting import until

SLOW = """
import pathlib, signal, sys, time

def end(*_):
    pathlib.Path("saved").touch()
    sys.exit(0)

signal.signal(signal.SIGINT, end)
pathlib.Path("at work").touch()
time.sleep(1000)
"""
"""As Terraform, which saves its state when it is interrupted."""

RUNS = """
import pathlib, signal, sys
from release.command import run

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
run([sys.executable, "-c", sys.argv[1]], directory=pathlib.Path(sys.argv[2]), remedy="")
"""


def test_a_command_is_interrupted_and_waited_for_when_its_process_is_to_end(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", RUNS, SLOW, str(tmp_path)]) as running:
        try:
            until(tmp_path.joinpath("at work").exists, "the command to be at work", seconds=20)
            running.send_signal(signal.SIGTERM)
            assert running.wait(20) == 143
            assert tmp_path.joinpath("saved").exists()
        finally:
            running.kill()


def test_a_failure_says_what_was_said_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"(?s)ended with 3:\nnot so\ntry another"):
        run(["sh", "-c", "echo not so; exit 3"], directory=tmp_path, remedy="try another")
    with pytest.raises(CommandFailed, match="`no-such-command` is not installed; install it"):
        run(["no-such-command"], directory=tmp_path, remedy="install it")
