"""A program that fails leaves a complete account."""

from __future__ import annotations

import sys

import pytest

from sim.host.command import CommandFailed, run


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_it_said_comes_back() -> None:
    assert run(python("import os; print(os.environ['A'])"), remedy="", environment={"A": "b"}) == "b\n"


def test_a_failure_carries_command_status_stderr_and_remedy() -> None:
    code = "import sys; print('told'); print('gone wrong', file=sys.stderr); sys.exit(3)"
    with pytest.raises(CommandFailed) as caught:
        run(python(code), remedy="Do this instead.")
    failure = caught.value
    assert (failure.command, failure.status, failure.stderr) == (tuple(python(code)), 3, "gone wrong\n")
    text = str(failure)
    assert text.startswith(f"`{sys.executable} -c 'import sys;")
    assert text.endswith("ended with 3\ngone wrong\nDo this instead.")


def test_of_a_long_stderr_the_end_is_shown() -> None:
    with pytest.raises(CommandFailed) as caught:
        run(python("import sys; sys.exit('\\n'.join(map(str, range(1000))))"), remedy="")
    lines = str(caught.value).splitlines()
    assert "999" in lines
    assert "900" not in lines


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandFailed, match="`no-such-program --help`: there is no such program") as caught:
        run(["no-such-program", "--help"], remedy="Install it.")
    assert caught.value.status is None
