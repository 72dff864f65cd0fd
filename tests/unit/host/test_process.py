"""Child processes and other things that a run owns: nothing is left of them, however the run ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from sim.host.cleanup import Cleanup
from sim.host.process import Process, ProcessFailed, free_port
from sim.host.waiting import until

SECONDS = 20

DEAF = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "1000"])
print(os.getpid(), child.pid, flush=True)
time.sleep(1000)
"""
"""A program that ignores SIGTERM and has a child."""

PARENT = """
import signal
from sim.host.process import Process
from sim.host.cleanup import Cleanup

cleanup = Cleanup()
cleanup.begin()
process = Process("sleep", ["sleep", "1000"], {}, cleanup)
process.start()
(cleanup.directory / "a file").touch()
print(process.pid, cleanup.directory, flush=True)
signal.pause()
"""
"""A run that has started a child and never ends by itself."""


@pytest.fixture
def cleanup() -> Iterator[Cleanup]:
    with Cleanup() as cleanup:
        yield cleanup


def python(name: str, code: str, cleanup: Cleanup) -> Process:
    return Process(name, [sys.executable, "-c", code], {"A_VARIABLE": "its value"}, cleanup)


def lives(pid: int) -> bool:
    """Whether a process of this id runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until_gone(*pids: int) -> None:
    until(lambda: not any(map(lives, pids)), "the processes to be gone", seconds=SECONDS, seen=lambda: pids)


def started_pids(process: Process) -> list[int]:
    """The process ids that a program has printed first."""
    line = until(lambda: process.tail().splitlines()[:1], "its first line", seconds=SECONDS, seen=process.tail)[0]
    return [int(pid) for pid in line.split()]


def test_a_program_has_only_its_own_environment_and_writes_to_its_log(cleanup: Cleanup) -> None:
    code = "import os, sys; print(os.environ['A_VARIABLE'], 'PATH' in os.environ, flush=True); sys.exit('to stderr')"
    process = python("child", code, cleanup)
    process.start()
    assert process.wait(SECONDS) == 1
    assert process.log.read_text() == "its value False\nto stderr\n"


def test_only_a_running_program_has_a_process_id(cleanup: Cleanup) -> None:
    process = Process("child", ["sleep", "1000"], {}, cleanup)
    assert process.pid is None
    process.start()
    assert process.pid is not None
    assert lives(process.pid)
    process.check()
    process.kill()
    assert process.pid is None


def test_sigterm_goes_to_the_program_alone(cleanup: Cleanup) -> None:
    code = "import subprocess; child = subprocess.Popen(['sleep', '1000']); print(child.pid, flush=True); child.wait()"
    process = python("child", code, cleanup)
    process.start()
    [child] = started_pids(process)
    process.terminate()
    until(lambda: process.pid is None, "its end", seconds=SECONDS)
    assert lives(child)
    assert process.wait(SECONDS) == -signal.SIGTERM
    until_gone(child)


def test_a_program_that_ignores_sigterm_is_reported_and_killed_with_its_children(cleanup: Cleanup) -> None:
    process = python("deaf", DEAF, cleanup)
    process.start()
    pids = started_pids(process)
    process.terminate()
    with pytest.raises(ProcessFailed, match=r"deaf did not end within 0\.2 s"):
        process.wait(0.2)
    assert all(map(lives, pids))
    process.kill()
    until_gone(*pids)


def test_a_program_that_ended_by_itself_is_reported_with_the_end_of_its_log(cleanup: Cleanup) -> None:
    process = python("child", "print('the reason'); raise SystemExit(7)", cleanup)
    with pytest.raises(ProcessFailed, match="child ended with no start"):
        process.check()
    process.start()
    until(lambda: process.pid is None, "its end", seconds=SECONDS)
    with pytest.raises(ProcessFailed, match="child ended with 7; the end of its log:\nthe reason"):
        process.check()


def test_children_of_a_program_that_ended_by_itself_are_killed(cleanup: Cleanup) -> None:
    process = python("child", "import subprocess; print(subprocess.Popen(['sleep', '1000']).pid)", cleanup)
    process.start()
    assert process.wait(SECONDS) == 0
    until_gone(*started_pids(process))


def test_a_program_that_is_started_again_appends_to_its_log(cleanup: Cleanup) -> None:
    process = python("child", "print('once more')", cleanup)
    for _ in range(2):
        process.start()
        process.wait(SECONDS)
    assert process.tail() == "once more\nonce more"
    assert process.tail(lines=1) == "once more"


def test_a_program_that_was_never_started_can_be_killed_but_not_awaited(cleanup: Cleanup) -> None:
    process = Process("child", ["sleep", "1000"], {}, cleanup)
    process.kill()
    process.terminate()
    with pytest.raises(ProcessFailed, match="child was never started"):
        process.wait(1)


def test_no_signal_is_sent_to_a_group_that_has_ended(cleanup: Cleanup, monkeypatch: pytest.MonkeyPatch) -> None:
    """By then its id may be another's."""
    process = python("child", "", cleanup)
    process.start()
    process.wait(SECONDS)
    signalled: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, _number: signalled.append(group))
    process.signal(signal.SIGCONT)
    process.kill()
    assert signalled == []


def test_a_cleanup_removes_its_folder_and_its_processes() -> None:
    with Cleanup() as cleanup:
        process = python("deaf", DEAF, cleanup)
        process.start()
        pids = started_pids(process)
        assert process.log.is_file()
    assert not cleanup.directory.exists()
    until(lambda: process.pid is None, "its end", seconds=SECONDS)
    until_gone(*pids)


def test_a_cleanup_leaves_alone_what_it_no_longer_owns(tmp_path: Path) -> None:
    kept, taken = tmp_path / "kept", tmp_path / "taken"
    kept.mkdir()
    taken.mkdir()
    with Cleanup() as cleanup:
        for path in (kept, taken):
            cleanup.owns("path", path)
        cleanup.disowns("path", kept)
    assert (kept.exists(), taken.exists()) == (True, False)


@dataclass(frozen=True)
class Run:
    """PARENT, once it has started its child; `children` are all that it has."""

    process: subprocess.Popen[str]
    child: int
    directory: Path
    children: frozenset[int]


@pytest.fixture
def run() -> Iterator[Run]:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            child, directory = parent.stdout.readline().split()
            children = frozenset(each.pid for each in psutil.Process(parent.pid).children())
            yield Run(parent, int(child), Path(directory), children)
        finally:
            parent.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_a_killed_run_leaves_no_children_and_no_folder(run: Run, number: signal.Signals) -> None:
    assert lives(run.child)
    assert (run.directory / "a file").exists()
    run.process.send_signal(number)
    assert run.process.wait(SECONDS) == -number
    until_gone(*run.children)
    until(lambda: not run.directory.exists(), "the folder to be gone", seconds=SECONDS)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_the_watchdog_survives_the_signals_of_a_shutdown(run: Run) -> None:
    """They reach every process, and the watchdog has to see the run end."""

    def ignored(pid: int) -> int:
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return int(status["SigIgn"], 16)

    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    mask = sum(1 << (number - 1) for number in ending)
    [watchdog] = run.children - {run.child}
    until(lambda: ignored(watchdog) & mask == mask, "the watchdog to be ready", seconds=SECONDS)
    for number in ending:
        os.kill(watchdog, number)
    run.process.kill()
    until_gone(run.child, watchdog)


def test_a_free_port_is_returned_only_once() -> None:
    ports = [free_port() for _ in range(2000)]
    assert len(set(ports)) == len(ports)
