"""Identifies a process for good. The system reuses a process id after its process has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

_PROC: Final = Path("/proc")
_START_TICKS: Final = 19
"""The position of the start time in /proc/PID/stat, counted after the name: proc(5), field 22."""


def start_of(pid: int) -> str | None:
    """When a process started, in a form unique among processes with this id; None if the process is not running.

    On Linux in ticks since this boot. psutil converts these to the time of day, which changes when the clock is set.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        stat = _PROC / str(pid) / "stat"
        if not stat.exists():
            return f"{process.create_time():.6f}"
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{stat.read_text().rpartition(')')[2].split()[_START_TICKS]}"
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None
