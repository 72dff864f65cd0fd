"""A cluster that stays up: the README's two commands, what is started again, and how it ends."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.host.loopback import answers
from sim.host.waiting import until
from sim.stack import lifecycle as stacks
from tests.docs.test_commands import ROOT, commands
from tests.stack.command_line import (
    SECONDS,
    STATE,
    Ended,
    console_script,
    family,
    temporary,
    until_nothing_is_left,
)

__all__ = ["temporary"]

pytestmark = [pytest.mark.timeout(1200), pytest.mark.usefixtures("terraform")]
APPLY_SECONDS = 900


@pytest.fixture
def stack(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a stack, which ends with the test. No Docker engine answers, so tasks are processes."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    yield temporary / STATE
    # After Ctrl-C pytest is in another folder by now.
    if (left := stacks.find(temporary / STATE)) is not None:
        stacks.down(left)


def typed(command: str, stack: Path) -> Ended:
    """A command of the README as a person types it, in the checkout."""
    words, environment = shlex.split(command), {**os.environ, "SIM_DIR": str(stack)}
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=APPLY_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


def test_a_version_rolls_out_under_load_and_what_ends_is_started_again(stack: Path, temporary: Path) -> None:
    up, deploy = commands("README.md", marked=" cluster")
    first = typed(up, stack)
    assert typed(up, stack).out == first.out, "the second finds the first"
    processes = family(stacks.running(STATE).supervisor)

    last = typed(deploy, stack).out.splitlines()[-1]
    assert last.startswith("load: ")
    assert ", 0 failed; " in last, last

    tasks = _tasks()
    for part in ("agent", "edge"):
        _started_again(part)
    assert console_script("status").status == 0
    assert _tasks() == tasks
    processes |= family(stacks.running(STATE).supervisor)

    os.kill(stacks.running(STATE).parts["localstack"].pid, signal.SIGKILL)
    until(lambda: stacks.find(STATE) is None, "the cluster to end", seconds=SECONDS)
    ended = console_script("status")
    assert (ended.status, ended.out) == (3, "")
    assert "start one with `sim up`; the last one ended by itself: localstack ended with -9" in ended.err
    until_nothing_is_left(processes, temporary)


def _started_again(part: str) -> None:
    """A part is killed, and soon there is another one, with which the API answers where it did."""
    before = stacks.running(STATE).parts[part]
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: stacks.running(STATE).parts[part].starts == 2, f"another {part}", seconds=SECONDS)
    url = stacks.running(STATE).url
    until(lambda: answers(f"{url}/health", seconds=1), "the API to answer", seconds=SECONDS)


def _tasks() -> set[str]:
    """The ARNs of the API's tasks."""
    _, place = stacks.running_cluster(STATE)
    return {each["taskArn"] for each in place.services["api"].tasks()}


def test_a_start_that_fails_leaves_nothing(
    stack: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIM_TERRAFORM_PLUGINS", str(tmp_path / "nowhere"))
    failed = console_script("up", "--target", "cluster", seconds=APPLY_SECONDS)
    assert failed.status == 1
    assert "sim: the stack did not start" in failed.err
    assert "hashicorp/aws" in failed.err
    assert "Traceback" not in failed.err
    assert stacks.find(STATE) is None
    assert not list(stack.glob("terraform*"))
    until_nothing_is_left(set(), temporary)
