"""git and Terraform, run to their end."""

from __future__ import annotations

import os
import shlex
import signal
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
    """Exit status and standard output of `command`, run in `directory`; `environment` is all of its environment, by
    default this process's own.

    Raises CommandFailed for a status that is not among the `good` ones.
    """
    if not directory.is_dir():
        raise CommandFailed(f"`{shlex.join(command)}` has no folder {directory} to run in; {remedy}")
    try:
        process = subprocess.Popen(  # noqa: S603 - commands of ours
            command,
            cwd=directory,
            env=os.environ if environment is None else environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
            # Or Ctrl-C in a terminal would reach it too, and Terraform takes a second one for a kill.
            start_new_session=True,
        )
    except FileNotFoundError:
        raise CommandFailed(f"`{command[0]}` is not installed; {remedy}") from None
    stdout, stderr = _output(process)
    if process.returncode not in good:
        last = "\n".join(f"{stdout}\n{stderr}".strip().splitlines()[-_LAST_LINES:])
        raise CommandFailed(f"`{shlex.join(command)}` ended with {process.returncode}:\n{last}\n{remedy}")
    return process.returncode, stdout


def _output(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Standard output and standard error of a process that has ended.

    If this process is to end meanwhile, by a signal's exception, the other is interrupted and waited for: killed,
    Terraform would lose what it has made since it last saved its state, and leave its lock behind.
    """
    try:
        return process.communicate()
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.communicate()
        raise
