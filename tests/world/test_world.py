"""The world: the same for the same seed, good where the services are, and eventful."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sim.cli.main import app
from sim.errors import SimError
from sim.faults.plan import Fault, FaultPlan, Rule, dump
from sim.history.events import Called, Event, Faulted, Invoked, Observed, line, read
from sim.world.client_pool import Pool
from sim.world.coverage import Coverage, Place
from sim.world.mutants import MUTANTS
from sim.world.run import Result, run
from sim.world.setup import Setup
from sim.world.sweep import fresh_seeds, parse_seeds, sweep

SEEDS = range(100, 103)
SHORT = Setup(storm=60.0, token_cache=5.0)
_HISTORIES = """
import sys
from sim.history.events import line
from sim.world.client_pool import Pool
from sim.world.run import run
pool = Pool()
for seed in map(int, sys.argv[1:]):
    kept = []
    run(seed, 0, pool, keep=kept)
    print(*map(line, kept), sep="\\n")
"""


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool()


@pytest.fixture(scope="module")
def results(pool: Pool) -> list[Result]:
    return [run(seed, 0, pool) for seed in SEEDS]


def histories(hash_seed: str, *seeds: int) -> bytes:
    """The histories of seeds, from a process of their own."""
    command = [sys.executable, "-c", _HISTORIES, *map(str, seeds)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


def test_the_same_seed_has_the_same_history_to_the_byte_in_any_process() -> None:
    first, other = SEEDS[:2]
    alone = histories("1", first)
    assert alone.count(b"\n") > 100
    assert histories("2", other, first).endswith(alone), "neither the hash seed nor an earlier world matters"
    assert histories("3", first) == alone


def test_a_trail_changes_nothing_else(pool: Pool, results: list[Result]) -> None:
    trailed = run(SEEDS[0], 0, pool, trail=True).history
    assert any(isinstance(event, Called) for event in trailed)
    assert [event for event in trailed if not isinstance(event, Called)] == list(results[0].history)


def test_the_services_are_good_whatever_the_storm(results: list[Result]) -> None:
    assert [str(result.verdict) for result in results] == ["good"] * len(SEEDS)


def test_a_storm_is_one(results: list[Result]) -> None:
    coverage = Coverage()
    for result in results:
        coverage += result.coverage
    assert coverage.stored > 100
    assert len({fault for fault, _ in coverage.faults}) > len(Fault) / 2
    assert sum(coverage.crashes.values()) > len(SEEDS)


def test_in_calm_weather_nothing_fails_and_nothing_is_left_to_chance(pool: Pool) -> None:
    result = run(1, 0, pool, setup=SHORT, plan=FaultPlan())
    assert result.verdict.good
    faults = [event for event in result.history if isinstance(event, Faulted)]
    assert {fault.operation for fault in faults} >= {"PutObject"}, "what the examination stages"
    assert all(event.at > SHORT.storm for event in faults)
    assert {event.what for event in result.history if isinstance(event, Observed)} >= {
        "the drain after the storm",
        "receives of an e-mail in calm weather",
        "a rotated token's wait",
        "the stop of worker-4",
    }


def test_a_plan_is_followed(pool: Pool) -> None:
    plan = FaultPlan(
        (Rule(Fault.KILL_TASK, caller="worker", every=7.0), Rule(Fault.ANSWER_LOST, operation="PutObject")), 1
    )
    result = run(1, 0, pool, setup=SHORT, plan=plan)
    assert result.verdict.good
    hit = {fault for fault, _ in result.coverage.faults}
    assert hit >= {"kill-task", "answer-lost"}
    assert result.coverage.crashes[Place.BETWEEN_PUT_AND_DELETE] > 0
    assert {"throttle of PutObject", "kill-instance"} <= set(result.coverage.never_hit())


def test_a_world_goes_on_for_as_long_as_it_is_wanted_and_keeps_nothing(pool: Pool) -> None:
    kept: list[Event] = []
    result = run(1, 0.2, pool, setup=SHORT, keep=kept)
    assert result.verdict.good
    assert result.episodes > 1
    assert result.coverage.seconds >= 0.2 * 3600
    assert sum(isinstance(event, Invoked) for event in kept) == result.coverage.publishes
    assert len(result.history) < len(kept)


def test_seeds_that_leave_something_out_fail_where_they_must_not(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(dump(FaultPlan((Rule(Fault.THROTTLE, operation="PutObject", probability=0.5),))))
    command = ["world", "run", "--seeds", str(SEEDS[0]), "--plan", str(plan)]
    assert CliRunner().invoke(app, command).exit_code == 0
    ended = CliRunner().invoke(app, [*command, "--complete"])
    assert ended.exit_code == 1
    assert "latency of GetParameter" in ended.stderr
    assert "throttle of PutObject" not in ended.stderr


@pytest.mark.timeout(300)
def test_a_task_is_killed_where_most_is_at_stake(pool: Pool) -> None:
    rules = (
        Rule(Fault.STOP_TASK, every=3.0),
        Rule(Fault.KILL_TASK, caller="worker", every=7.0),
        Rule(Fault.KILL_TASK, caller="api", every=7.0),
    )
    busy = Setup(apis=3, workers=3, pause=0.5, storm=40.0, token_cache=5.0)
    coverage = Coverage()
    for seed in (1, 2, 3):
        result = run(seed, 0, pool, setup=busy, plan=FaultPlan(rules, 1))
        assert result.verdict.good
        coverage += result.coverage
        if coverage.crashes.keys() == set(Place):
            break
    assert coverage.crashes.keys() == set(Place)


def test_seeds_are_written_as_ranges() -> None:
    assert list(parse_seeds("3..5")) == [3, 4, 5]
    assert list(parse_seeds("7")) == [7]
    for wrong in ("", "x", "5..3", "1-3"):
        with pytest.raises(SimError, match="names no seeds"):
            parse_seeds(wrong)
    assert len(set(fresh_seeds(50))) == 50


def test_a_sweep_on_two_cores_finds_what_one_finds(results: list[Result]) -> None:
    swept = sorted(sweep(SEEDS, 0, 2, None), key=lambda result: result.seed)
    assert [(each.seed, each.verdict, each.coverage) for each in swept] == [
        (each.seed, each.verdict, each.coverage) for each in results
    ]


def test_a_bad_seed_comes_with_its_replay_and_the_timeline_of_an_email(tmp_path: Path) -> None:
    [mutant] = [each for each in MUTANTS if each.name == "failed put taken for stored"]
    seed, plan = "2", tmp_path / "plan.json"
    plan.write_text(dump(FaultPlan((Rule(Fault.UNAVAILABLE, operation="PutObject", probability=0.5),))))
    with mutant.planted():
        ended = CliRunner().invoke(app, ["world", "run", "--seeds", seed, "--plan", str(plan), "--json"])
        assert ended.exit_code == 1
        assert json.loads(ended.stdout)["bad"] == [int(seed)]
        ended = CliRunner().invoke(app, ["world", "run", "--seeds", seed, "--plan", str(plan)])
        assert f"sim world replay {seed} --hours 0 --plan {plan}" in ended.stderr
        history = tmp_path / "history.jsonl"
        again = CliRunner().invoke(
            app, ["world", "replay", seed, "--plan", str(plan), "--history", str(history), "--json"]
        )
    assert again.exit_code == 1
    verdict = json.loads(again.stdout)
    name = verdict["lost"][0]
    checked = CliRunner().invoke(app, ["check", str(history), "--timeline", name])
    assert "PutObject" in checked.stdout
    assert name in ended.stderr
    assert [line(event) for event in read(history.read_text().splitlines())] == history.read_text().splitlines()


def test_replaying_a_good_seed_is_good() -> None:
    ended = CliRunner().invoke(app, ["world", "replay", str(SEEDS[0]), "--json"])
    assert (ended.exit_code, json.loads(ended.stdout)["verdict"]) == (0, "good")
