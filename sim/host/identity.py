"""Which process a process id means: the number alone is given again once its process has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

_PROC: Final = Path("/proc")
_START_TICKS: Final = 19
"""Where /proc/PID/stat has the start of a process, counted behind its name: proc(5), field 22."""


def start_of(pid: int) -> str | None:
    """When a process started, in a form that no other process with this id has; None if none runs.

    On Linux in ticks since this boot: the time of day that psutil makes of them moves whenever the clock is set.
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
