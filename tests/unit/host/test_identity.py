"""A process is identified even if the clock is set meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from sim.host.identity import start_of


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel keeps the time of day itself")
def test_setting_the_clock_changes_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    before = start_of(os.getpid())
    # psutil adds the ticks to the time of the boot, which moves with the clock.
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: psutil.boot_time() + 3600)
    assert start_of(os.getpid()) == before is not None


def test_processes_have_different_identities_and_an_ended_one_has_none() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert start_of(child.pid) not in {None, start_of(os.getpid())}
    finally:
        child.communicate()
    assert start_of(child.pid) is None


def test_a_zombie_counts_as_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert start_of(child.pid) is None
    child.wait()
