"""The command line as a person has it: the installed script, in a folder of the test's own."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from sim.host.waiting import until

SECONDS = 180
SCRIPT = Path(sysconfig.get_path("scripts")) / "sim"
STATE = Path("a stack")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, in which it is; the stack's state is to be in `a stack` there, all else in `tmp`."""
    for name in ("SIM_TOKEN", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    tmp_path.joinpath("tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIM_DIR", str(STATE))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path


def console_script(*arguments: str, seconds: float = SECONDS) -> Ended:
    """The command line as it is installed."""
    ended = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False, timeout=seconds)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """The installed command while it goes on, and all that it prints."""
    both = subprocess.STDOUT
    with subprocess.Popen([SCRIPT, *arguments], text=True, stdout=subprocess.PIPE, stderr=both) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout
        finally:
            process.kill()


def family(pid: int) -> set[int]:
    """A process and its descendants."""
    process = psutil.Process(pid)
    return {process.pid, *(each.pid for each in process.children(recursive=True))}


def until_nothing_is_left(processes: set[int], temporary: Path) -> None:
    def left() -> list[str]:
        alive = [each for each in psutil.process_iter(["status"]) if each.pid in processes]
        running = [str(each) for each in alive if each.info["status"] != psutil.STATUS_ZOMBIE]
        return [*running, *map(str, temporary.joinpath("tmp").iterdir())]

    until(lambda: not left(), "nothing to be left", seconds=SECONDS, seen=left)
