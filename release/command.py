"""git and Terraform, run to their end."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from release.errors import CommandFailed

_LAST_LINES = 40


def run(
    command: Sequence[str],
    *,
    remedy: str,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    good: Sequence[int] = (0,),
) -> tuple[int, str]:
    """Exit status and standard output of `command`, run in `directory`, `environment` on top of this process's own.

    Raises CommandFailed for a status that is not among the `good` ones.
    """
    try:
        done = subprocess.run(  # noqa: S603 - commands of ours
            command,
            cwd=directory,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise CommandFailed(f"`{command[0]}` is not installed; {remedy}") from None
    if done.returncode not in good:
        said = "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-_LAST_LINES:])
        raise CommandFailed(f"`{shlex.join(command)}` ended with {done.returncode}:\n{said}\n{remedy}")
    return done.returncode, done.stdout
