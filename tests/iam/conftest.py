"""iam-simulate, an evaluator that others wrote, as a program beside ours.

It is licensed under the AGPL, so it is run and never linked, and only here. npm installs it in the virtual environment.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKED = ROOT / "requirements" / "iam-simulate"


@dataclass(frozen=True)
class Simulator:
    """A running iam-simulate."""

    questions: IO[str]
    answers: IO[str]

    def judge(self, simulation: dict[str, Any]) -> Any:
        """The result of one simulation, or an object with its errors."""
        self.questions.write(json.dumps(simulation) + "\n")
        self.questions.flush()
        return json.loads(self.answers.readline())


@pytest.fixture(scope="session")
def simulator(npm: None) -> Iterator[Simulator]:  # noqa: ARG001 - it is there
    """One process for the whole session."""
    command = ["node", str(Path(__file__).with_name("judge.mjs")), str(_installed())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Simulator(process.stdin, process.stdout)
        process.stdin.close()


def _installed() -> Path:
    """The folder with iam-simulate as the lock has it."""
    folder = Path(sys.prefix) / "iam-simulate"
    lock = (LOCKED / "package-lock.json").read_bytes()
    ready = folder / ".ready"
    if not ready.exists() or ready.read_bytes() != lock:
        shutil.copytree(LOCKED, folder, dirs_exist_ok=True)
        subprocess.run(["npm", "ci", "--loglevel=error"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        ready.write_bytes(lock)
    return folder
