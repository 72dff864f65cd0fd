"""iam-simulate, an evaluator that others wrote, as a program beside ours.

It is licensed under the AGPL, so it is run and never linked, and only here. npm installs it in the virtual environment.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from tests.npm import installed


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
    command = ["node", str(Path(__file__).with_name("judge.mjs")), str(installed("iam-simulate"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Simulator(process.stdin, process.stdout)
        process.stdin.close()
