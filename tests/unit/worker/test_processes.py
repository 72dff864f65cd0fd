"""The same work in several processes: how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

MAIN = """
import os

from slow import work

from services.worker import processes

if __name__ == "__main__":
    os.environ["CHILD"] = "yes"
    raise SystemExit(processes.run(3, work))
"""

SLOW = """
import os
import signal
import time

from services.pipeline.signals import END

if "CHILD" in os.environ:
    print("loading", flush=True)
    time.sleep(0.5)


def work(number: int) -> int:
    signal.sigwait(END)
    return 0
"""


def test_processes_that_get_the_signal_while_they_load_end_in_order(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MAIN)
    (tmp_path / "slow.py").write_text(SLOW)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "main.py")], env={"PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "loading\n"
            running.send_signal(signal.SIGTERM)
            assert running.wait(20) == 0
        finally:
            running.kill()
