"""The output of the command line, for a person and for a program."""

from __future__ import annotations

import json

import pytest

from sim.cli.output import Report

ROWS = [
    {"name": "a.eml", "good": True, "needed_for": ("process", "docker"), "left_out": 1},
    {"name": "b.eml", "good": False, "needed_for": (), "left_out": 2},
]
COLUMNS = ["name", "good", "needed_for"]


@pytest.fixture(autouse=True)
def _no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def test_a_table_has_its_columns_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    Report(as_json=False).table(COLUMNS, ROWS)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["name", "good", "needed", "for"], ["a.eml", "yes", "process,", "docker"], ["b.eml", "no"]]


def test_json_has_every_value_of_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    Report(as_json=True).table(COLUMNS, ROWS)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(ROWS))


def test_facts_are_a_json_object_or_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"queue_url": "http://127.0.0.1:1/queue", "prefix": "emails/"}
    Report(as_json=True).facts(facts)
    assert json.loads(capsys.readouterr().out) == facts
    Report(as_json=False).facts(facts)
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["queue", "url", "http://127.0.0.1:1/queue"]
    assert second.split() == ["prefix", "emails/"]


@pytest.mark.parametrize(
    "text",
    ["[1]", "[red]blue[/red]", "[/]", "\\[x]", "a\\", "[bold", "日本語", "Ünï", ":smile:", "http://127.0.0.1:1/"],
)
def test_text_is_printed_unchanged(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(as_json=False)
    report.table(["subject", "names"], [{"subject": text, "names": (text,)}])
    assert capsys.readouterr().out.split() == ["subject", "names", text, text]
    report.facts({text: text})
    assert capsys.readouterr().out.split() == [text, text]
    report.hint(text)
    with report.progress("publishing") as progress:
        progress(text)
    assert capsys.readouterr().err.split() == [text, text]
    Report(as_json=True).table(["subject"], [{"subject": text}])
    assert json.loads(capsys.readouterr().out) == [{"subject": text}]


def test_a_long_text_is_folded_without_loss(capsys: pytest.CaptureFixture[str]) -> None:
    text = "".join(map(str, range(200)))
    Report(as_json=False).table(["key"], [{"key": text}])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.strip() == "key"
    assert "".join(lines).rstrip() == text
    assert max(map(len, lines)) <= 160


def test_an_empty_table_has_only_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    Report(as_json=False).table(["key"], [])
    assert capsys.readouterr().out.split() == ["key"]
    Report(as_json=True).table(["key"], [])
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("as_json", [True, False])
def test_progress_is_not_printed_on_standard_output(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(as_json)
    with report.progress("starting") as progress:
        progress("waiting for the api [1/2]")
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "waiting for the api [1/2]\n")


def test_a_hint_is_only_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    Report(as_json=True).hint("go on with [this]")
    assert capsys.readouterr() == ("", "")
    Report(as_json=False).hint("go on with [this]")
    assert capsys.readouterr() == ("", "go on with [this]\n")
