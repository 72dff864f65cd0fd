"""The error of a program that fails has everything needed to understand it."""

from __future__ import annotations

import shlex
import sys

import pytest

from sim.host.command import CommandFailed, run


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_standard_output_is_returned() -> None:
    assert run(python("import os; print(os.environ['A'])"), remedy="", environment={"A": "b"}) == "b\n"


def test_a_failure_has_command_status_stderr_and_remedy() -> None:
    code = "import sys; print('output'); print('gone wrong', file=sys.stderr); sys.exit(3)"
    with pytest.raises(CommandFailed) as caught:
        run(python(code), remedy="Do this instead.")
    failure = caught.value
    assert (failure.command, failure.status, failure.stderr) == (tuple(python(code)), 3, "gone wrong\n")
    text = str(failure)
    assert text.startswith(f"`{shlex.quote(sys.executable)} -c 'import sys;")
    assert text.endswith("ended with 3\ngone wrong\nDo this instead.")


def test_a_long_stderr_is_cut_to_its_last_lines() -> None:
    with pytest.raises(CommandFailed) as caught:
        run(python("import sys; sys.exit('\\n'.join(map(str, range(1000))))"), remedy="")
    lines = str(caught.value).splitlines()
    assert "999" in lines
    assert "900" not in lines


def test_a_missing_program_is_named() -> None:
    with pytest.raises(CommandFailed, match="`no-such-program --help`: there is no such program") as caught:
        run(["no-such-program", "--help"], remedy="Install it.")
    assert caught.value.status is None
