"""A service that is told to end while it is still loading."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ENDLESS = """
import time

print("loading", flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("service", ["api", "worker"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_it_ends_by_a_handler_of_its_own(service: str, number: signal.Signals, tmp_path: Path) -> None:
    """As the first process of its container it would get no signal that it has no handler for."""
    (tmp_path / "pydantic.py").write_text(ENDLESS)
    with subprocess.Popen(
        [sys.executable, "-m", f"services.{service}"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as loading:
        try:
            assert loading.stdout is not None
            assert loading.stdout.readline() == "loading\n"
            loading.send_signal(number)
            assert loading.wait(20) == 0
        finally:
            loading.kill()
