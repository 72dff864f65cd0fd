"""The table of what roles did: denials first, and one line for what a statement gives and nobody uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sim.cli import iam, stack
from sim.cli.main import app
from sim.cloud import permissions
from sim.cloud.permissions import Denial, GivenPermission, RoleReport, rows
from sim.errors import SimError
from sim.stack import lifecycle

WORKER = RoleReport(
    "arn:aws:iam::000000000000:role/emails/worker-task",
    (GivenPermission("s3:PutObject", "service", "Store", ("arn:aws:s3:::emails/*",), 7, {"s3:PutObject": 7}),),
    tuple(
        GivenPermission(action, "arn:aws:iam::aws:policy/AWSPolicy", "2", ("*",)) for action in ("s3:Get*", "s3:List*")
    ),
    (
        Denial("sqs:PurgeQueue", "sqs:PurgeQueue", "arn:queue", "no identity-based policy allows it", (), 2),
        Denial("s3:DeleteObject", "s3:DeleteObject", "arn:object", "", ("statement Keep of service",), 1),
    ),
    {"sqs:ListQueues": 3},
)
IDLE = RoleReport("arn:aws:iam::000000000000:role/idle", (), (), (), {})


class Running:
    endpoint = "http://127.0.0.1:1"


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam, "running", lambda _: Running())
    monkeypatch.setattr(iam, "reports", lambda _: (WORKER, IDLE))


def test_each_permission_and_each_denial_has_its_line() -> None:
    assert [(each.end, each.action, each.statement, each.calls, each.needed_by) for each in rows((WORKER, IDLE))] == [
        ("denied", "sqs:PurgeQueue on arn:queue", "no identity-based policy allows it", 2, "sqs:PurgeQueue"),
        ("denied", "s3:DeleteObject on arn:object", "statement Keep of service", 1, "s3:DeleteObject"),
        ("not judged", "sqs:ListQueues", "", 3, ""),
        ("used", "s3:PutObject", "Store of service", 7, "s3:PutObject 7"),
        ("never used", "s3:Get*, s3:List*", "2 of AWSPolicy", 0, ""),
    ]


@pytest.mark.usefixtures("running")
def test_the_command_shows_a_role_as_a_table_or_as_json() -> None:
    shown = CliRunner().invoke(app, ["iam", "worker-task"])
    assert shown.exit_code == 0
    assert "s3:PutObject" in shown.stdout
    assert "idle" not in shown.stdout
    found: dict[str, Any] = json.loads(CliRunner().invoke(app, ["iam", "--json"]).stdout)
    assert [each["role"] for each in found["roles"]] == [WORKER.role, IDLE.role]


@pytest.mark.usefixtures("running")
def test_a_role_that_is_not_there_is_refused_with_those_that_are() -> None:
    refused = CliRunner().invoke(app, ["iam", "nobody"])
    assert isinstance(refused.exception, SimError)
    assert str(refused.exception) == "there is no role 'nobody'; there are: idle, worker-task"


def test_after_the_stack_has_ended_the_last_report_is_shown_and_said_to_be_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[object] = []
    monkeypatch.setattr(stack, "reports", lambda _: (WORKER, IDLE))
    monkeypatch.setattr(lifecycle, "running", lambda _: Running())
    monkeypatch.setattr(lifecycle, "down", ended.append)
    done = CliRunner().invoke(app, ["down", "--dir", str(tmp_path)])
    assert (done.exit_code, len(ended)) == (0, 1), done.output
    monkeypatch.undo()
    shown = CliRunner().invoke(app, ["iam", "--dir", str(tmp_path)])
    assert "s3:PutObject" in shown.stdout
    assert "these are the roles of the last one" in shown.stderr
    found: dict[str, Any] = json.loads(CliRunner().invoke(app, ["iam", "--json", "--dir", str(tmp_path)]).stdout)
    assert (found["running"], len(found["roles"])) == (False, 2)


def test_a_stack_whose_localstack_has_ended_goes_down_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[object] = []
    monkeypatch.setattr(lifecycle, "running", lambda _: Running())
    monkeypatch.setattr(lifecycle, "down", ended.append)
    done = CliRunner().invoke(app, ["down", "--dir", str(tmp_path)])
    assert (done.exit_code, len(ended)) == (0, 1), done.output


def test_without_a_stack_there_is_no_report(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["iam", "--dir", str(tmp_path)])
    assert "no stack is running" in str(refused.exception)
    with pytest.raises(permissions.NoReport):
        permissions.reports("http://127.0.0.1:1")
