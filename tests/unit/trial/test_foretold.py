"""What a plan predicts of a trial, beside what was seen of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.rehearsal.terraform_json import read
from sim.trial.foretold import compared, foretold, predictable
from sim.trial.record import Record, Second
from sim.trial.scenario import Ending
from sim.trial.shipped import NAMES, scenario_of

ROOT = Path(__file__).resolve().parents[3]
STATE = ROOT / "docs/examples/rehearse.json"


def test_a_plan_predicts_a_version_that_is_good_and_one_that_never_answers() -> None:
    assert [name for name in NAMES if predictable(scenario_of(name)[1])] == ["good", "never-healthy"]


@pytest.mark.parametrize(("name", "ends"), [("good", True), ("never-healthy", False)])
def test_the_prediction_is_for_the_service_as_the_roots_have_it(name: str, ends: bool) -> None:
    predicted = foretold(read(STATE, STATE.read_text()), "app", scenario_of(name)[1], instances=3)
    assert predicted.ends is ends
    seen = Record(Ending.DEPLOYED, "", 42.0, (Second(0, ok=1, old_serving=2),), ())
    said = compared(predicted, seen)
    assert " serving; 42 s and 2 were seen (assumed: launch 1..3 s, start " in said
    assert ("no end" in said) is not ends
