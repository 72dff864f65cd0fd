"""Runs other programs to their end."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence

from sim.errors import SimError

_LAST_LINES = 30


class CommandFailed(SimError):
    """A program was not found (`status` is None), or ended with a status other than 0."""

    def __init__(self, command: Sequence[str], status: int | None, stderr: str, remedy: str) -> None:
        super().__init__(command, status, stderr, remedy)
        self.command = tuple(command)
        self.status = status
        self.stderr = stderr
        self.remedy = remedy

    def __str__(self) -> str:
        outcome = "there is no such program" if self.status is None else f"ended with {self.status}"
        last_lines = self.stderr.strip().splitlines()[-_LAST_LINES:]
        return "\n".join([f"`{shlex.join(self.command)}`: {outcome}", *last_lines, self.remedy])


def run(command: Sequence[str], *, remedy: str, environment: Mapping[str, str] | None = None) -> str:
    """Runs `command` with `environment` added to this process's own. Returns its standard output.

    Raises CommandFailed, whose message ends with `remedy`: what the reader can do.
    """
    everything = {**os.environ, **(environment or {})}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=everything)  # noqa: S603
    except FileNotFoundError:
        raise CommandFailed(command, None, "", remedy) from None
    if done.returncode != 0:
        raise CommandFailed(command, done.returncode, done.stderr, remedy)
    return done.stdout
