"""`sim check FILE`: the verdict on a history in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sim.cli.main import app
from sim.errors import SimError
from sim.history.events import Drained, Ended, Event, Invoked, PublishOutcome, Stored, line

GOOD: list[Event] = [
    Invoked(1, "c1", "print"),
    Ended(2, "c1", PublishOutcome.OK, "id"),
    Drained(3, True),
    Stored(4, "emails/id.json", "print"),
]
Check = Callable[..., Result]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Judges a history, in a file in this folder."""

    def run(history: list[Event] | str, *options: str) -> Result:
        path = tmp_path / "history.jsonl"
        path.write_text(history if isinstance(history, str) else "".join(f"{line(event)}\n" for event in history))
        return CliRunner().invoke(app, ["check", str(path), *options])

    return run


def test_a_good_history_exits_with_0(check: Check) -> None:
    ended = check(GOOD, "--json")
    assert ended.exit_code == 0
    assert json.loads(ended.stdout)["verdict"] == "good"


def test_a_bad_history_exits_with_1_and_shows_what_went_wrong(check: Check) -> None:
    ended = check(GOOD[:-1])
    assert ended.exit_code == 1
    assert ["lost", "c1"] in [each.split() for each in ended.stdout.splitlines()]
    assert "c1 ends: ok as id" in ended.stderr


def test_the_timeline_of_one_e_mail_can_be_shown(check: Check) -> None:
    ended = check(GOOD, "--timeline", "c1")
    assert ended.exit_code == 0
    assert [each.split(maxsplit=1)[1] for each in ended.stdout.splitlines()] == [
        "c1 is sent",
        "c1 ends: ok as id",
        "the queue is empty",
        "found as emails/id.json",
    ]
    assert isinstance(check(GOOD, "--timeline", "a stranger").exception, SimError)


def test_a_file_that_is_no_history_is_refused(check: Check) -> None:
    ended = check("no history")
    assert isinstance(ended.exception, SimError)
    assert "line 1 is not an event" in str(ended.exception)


def test_a_missing_file_is_a_wrong_command_line() -> None:
    assert CliRunner().invoke(app, ["check", "nowhere"]).exit_code == 2
