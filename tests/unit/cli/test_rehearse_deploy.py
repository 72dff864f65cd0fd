"""Which scenarios `sim rehearse deploy` runs, and their files."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from sim.cli.rehearse import rehearse
from sim.cli.rehearse_deploy import chosen
from sim.rehearsal.scenario import BadScenario, read
from sim.rehearsal.shipped import NAMES


def names(service: str, *given: str, every: bool = False) -> list[str]:
    return [name for name, _ in chosen(service, given, every=every)]


def test_the_good_one_is_run_unless_others_are_named() -> None:
    assert names("web") == ["good"]
    assert names("web", "slow-start", "good") == ["slow-start", "good"]


def test_all_are_those_that_are_of_use_for_the_service() -> None:
    assert names("api", every=True) == list(NAMES)
    assert names("web", every=True) == [name for name in NAMES if name != "lying-check"]


def test_one_that_is_of_no_use_for_the_service_is_refused_with_what_to_do() -> None:
    with pytest.raises(BadScenario, match="lying-check is of use for api alone; copy its file"):
        names("web", "lying-check")


def test_the_file_of_a_scenario_is_printed_as_it_can_be_run() -> None:
    printed = CliRunner().invoke(rehearse, ["scenarios", "lost-zone"])
    assert read("lost-zone.toml", printed.output).meanwhile[0].do == "lose-zone"
    listed = CliRunner().invoke(rehearse, ["scenarios"])
    assert all(name in listed.output for name in NAMES)
