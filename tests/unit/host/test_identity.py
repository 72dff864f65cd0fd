"""A process is known again, whatever the clock does meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from sim.host.identity import start_of


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel keeps the time of day itself")
def test_a_clock_that_is_set_changes_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    before = start_of(os.getpid())
    # psutil adds the ticks to the time of the boot, which moves with the clock.
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: psutil.boot_time() + 3600)
    assert start_of(os.getpid()) == before is not None


def test_two_processes_have_two_identities_and_one_that_ended_has_none() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert start_of(child.pid) not in {None, start_of(os.getpid())}
    finally:
        child.communicate()
    assert start_of(child.pid) is None


def test_a_zombie_does_not_run() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert start_of(child.pid) is None
    child.wait()
