"""`sim` from the command line: what it does, what it prints, and how it ends."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from sim.cli.main import main
from sim.host import loopback
from sim.host.process import free_port
from sim.host.waiting import until
from sim.stack import lifecycle as stacks
from tests.stack.command_line import (
    SCRIPT,
    SECONDS,
    STATE,
    Ended,
    console_script,
    family,
    running,
    temporary,
    until_nothing_is_left,
)

__all__ = ["temporary"]


MAIL = """From: Ann <ann@example.com>
Date: Fri, 21 Nov 1997 09:55:06 -0600
Subject: Tea

At five?
"""


Sim = Callable[..., Ended]


@pytest.fixture
def sim(temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sim:
    """The command line, in this process."""
    assert temporary == Path.cwd()

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["sim", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        return Ended(int(caught.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def up(temporary: Path) -> Iterator[Ended]:
    """A stack that two callers start at once and both get; the output of the caller that started it."""
    assert temporary == Path.cwd()
    try:
        with ThreadPoolExecutor() as pool:
            one, other = pool.map(lambda _: console_script("up", "--json"), range(2))
        assert (one.status, one.out) == (other.status, other.out)
        yield max(one, other, key=lambda ended: len(ended.err))
    finally:
        # After Ctrl-C pytest is in another folder by now.
        if (stack := stacks.find(temporary / STATE)) is not None:
            stacks.down(stack)


def stored(sim: Sim, number: int) -> list[str]:
    """The keys, once there are so many objects."""

    def keys() -> list[str]:
        return [row["key"] for row in sim("objects", "--json").document]

    return until(lambda: keys() if len(keys()) == number else [], f"{number} objects", seconds=SECONDS, seen=keys)


def test_a_stack_from_up_to_down(up: Ended, sim: Sim, temporary: Path) -> None:
    assert up.status == 0
    assert set(up.document) >= {"url", "page", "endpoint", "queue_url", "bucket", "token_parameter"}
    assert "waiting for LocalStack" in up.err
    processes = family(stacks.running(STATE).supervisor)

    other = sim("up", "--provision", "terraform")
    assert other.status == 1
    assert "provisioned by kit, not terraform; end it with `sim down`" in other.err

    again = sim("up", "--json")
    assert (again.status, again.document) == (0, up.document)
    assert family(stacks.running(STATE).supervisor) == processes

    status = sim("status", "--json")
    assert status.status == 0
    parts = ("localstack", "gateway", "api", "worker", "queue", "dead letters", "objects")
    assert states(status) == dict.fromkeys(parts, "ok")

    message_id = publishes(sim, temporary)
    lists_and_shows_objects(sim, message_id)
    publishes_what_is_piped_into_it(temporary)
    shows_logs(sim, message_id)
    assert "page" not in stacks.running(STATE).parts, "nobody has opened it"
    assert sim("watch").out == f"{up.document['page']}\n"
    serves_the_live_page(up.document["page"])
    until(lambda: states(sim("status", "--json")).get("page") == "ok", "the page as a part", seconds=SECONDS)
    processes = family(stacks.running(STATE).supervisor)

    with (
        running("logs", "--follow", "api") as (following, printed),
        running("watch", "--port", "0") as (watching, link),
    ):
        assert json.loads(printed.readline())["service"] == "api"
        serves_the_live_page(link.readline().strip())
        os.kill(stacks.running(STATE).parts["localstack"].pid, signal.SIGKILL)
        tells_of_a_part_that_died(sim)
        assert sim("down").status == 0
        assert "Traceback" not in printed.read()
        assert following.wait(SECONDS) == 3, "there is nothing more to follow"
        assert watching.wait(SECONDS) == 3, "there is nothing more to watch"
    until_nothing_is_left(processes, temporary)
    assert sim("status").status == 3


def states(status: Ended) -> dict[str, str]:
    return {row["part"]: row["state"] for row in status.document}


def publishes(sim: Sim, temporary: Path) -> str:
    """Two e-mails; the message id of the first."""
    temporary.joinpath("tea.eml").write_text(MAIL)
    temporary.joinpath("broken.eml").write_text("no mail")
    published = sim("publish", "--json", "tea.eml")
    assert published.status == 0
    [row] = published.document
    assert (row["name"], row["published"]) == ("tea.eml", True)
    temporary.joinpath("empty").mkdir()
    partly = sim("publish", "tea.eml", "broken.eml", "nowhere.eml", "empty")
    assert partly.status == 1
    assert {tuple(line.split()[:2]) for line in partly.out.splitlines()[1:]} == {
        ("tea.eml", "yes"),
        ("broken.eml", "no"),
        ("nowhere.eml", "no"),
        ("empty", "no"),
    }
    return str(row["detail"])


def lists_and_shows_objects(sim: Sim, message_id: str) -> None:
    keys = stored(sim, 2)
    key = f"emails/1997/11/21/{message_id}.json"
    assert key in keys
    assert sim("objects").out.split() == ["key", *keys]
    shown = sim("objects", key)
    assert (shown.status, shown.document["email_subject"]) == (0, "Tea")
    missing = sim("objects", "no such key")
    assert (missing.status, missing.out) == (1, "")
    assert missing.err.startswith("sim: ")


def publishes_what_is_piped_into_it(temporary: Path) -> None:
    temporary.joinpath("tea.gz").write_bytes(gzip.compress(MAIL.encode()))
    command = '"$0" publish --json /dev/stdin <(zcat tea.gz)'
    piped = subprocess.run(
        ["bash", "-c", command, SCRIPT], input=MAIL, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert piped.returncode == 0, piped.stderr
    assert [row["published"] for row in json.loads(piped.stdout)] == [True, True]


def shows_logs(sim: Sim, message_id: str) -> None:
    logs = sim("logs", "worker")
    assert logs.status == 0
    assert message_id in logs.out
    assert {json.loads(line)["service"] for line in logs.out.splitlines()} == {"worker"}
    assert {line.split()[0] for line in sim("logs").out.splitlines()} == {"localstack", "gateway", "api", "worker"}


def serves_the_live_page(link: str) -> None:
    page, _, token = link.partition("#")
    assert loopback.request("GET", page, seconds=SECONDS).status == 200
    assert loopback.request("GET", f"{page}tasks/worker", seconds=SECONDS).status == 403
    detail = loopback.request("GET", f"{page}tasks/worker", seconds=SECONDS, headers={"X-Sim-Token": token})
    [container] = detail.json()["containers"]
    assert json.loads(container["log"][0])["service"] == "worker"


def tells_of_a_part_that_died(sim: Sim) -> None:
    until(lambda: states(sim("status", "--json"))["localstack"] == "ended", "the death to be seen", seconds=SECONDS)
    status = sim("status", "--json")
    assert (status.status, states(status)["queue"]) == (1, "unknown")
    for command in (["objects"], ["publish", "tea.eml"]):
        ended = sim(*command)
        assert (ended.status, ended.out) == (1, "")
        assert ended.err.startswith("sim: ")


@pytest.mark.parametrize("killed", ["the supervisor", "sim up"])
def test_a_start_that_is_killed_leaves_nothing(temporary: Path, killed: str) -> None:
    with running("up") as (starting, printed):
        assert printed.readline() == "waiting for LocalStack\n"
        [supervisor] = psutil.Process(starting.pid).children()
        # Or it might be ready before it is looked at.
        supervisor.suspend()
        processes = family(starting.pid)
        assert list(temporary.joinpath("tmp").iterdir())
        if killed == "sim up":
            starting.send_signal(signal.SIGINT)
            supervisor.resume()
        else:
            supervisor.kill()
        assert "Traceback" not in printed.read()
        assert starting.wait(SECONDS) != 0
    until_nothing_is_left(processes, temporary)
    assert stacks.find(STATE) is None


@pytest.mark.parametrize("command", ["status", "down", "objects", "logs", "publish x.eml"])
def test_commands_exit_with_3_when_no_stack_is_running(sim: Sim, command: str) -> None:
    assert sim(*command.split()) == Ended(3, "", "sim: no stack is running here; start one with `sim up`\n")


@pytest.mark.usefixtures("temporary")
def test_the_installed_command_reports_it_too() -> None:
    assert console_script("status").status == 3


@pytest.mark.parametrize("command", ["", "nothing", "up --nothing", "logs nobody", "publish", "publish --rate 0 x.eml"])
def test_a_wrong_command_line_exits_with_2(sim: Sim, command: str) -> None:
    assert sim(*command.split()).status == 2


def test_help_exits_with_0(sim: Sim) -> None:
    ended = sim("--help")
    assert ended.status == 0
    assert all(command in ended.out for command in ("up", "down", "status", "publish", "objects", "logs", "demo"))


def test_the_token_of_another_api_must_be_set(sim: Sim, temporary: Path) -> None:
    temporary.joinpath("tea.eml").write_text(MAIL)
    ended = sim("publish", "--url", f"http://127.0.0.1:{free_port()}", "tea.eml")
    assert ended.status == 1
    assert "SIM_TOKEN" in ended.err


def test_the_doctor_lists_what_each_target_needs(sim: Sim) -> None:
    ended = sim("doctor", "--json")
    process = [row for row in ended.document if "process" in row["needed_for"]]
    assert {row["what"] for row in process} >= {"python", "memory", "localstack"}
    assert ended.status == (0 if all(row["good"] or row["what"] == "localstack" for row in process) else 1)


def test_a_stack_needs_a_folder(sim: Sim) -> None:
    STATE.write_text("a file where a folder should be")
    assert sim("up").status == 2
