"""The plans that come along."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.chaos.run import ABLE, find, shipped
from sim.faults.plan import BadPlan, FaultPlan, dump


@pytest.mark.parametrize("name", shipped())
def test_a_plan_that_comes_along_can_be_done_and_has_an_end(name: str) -> None:
    plan = find(name).only(ABLE, "a target")
    assert plan.rules
    assert plan.seconds is not None


def test_every_fault_that_a_target_can_do_is_in_one() -> None:
    assert {fault for name in shipped() for fault in find(name).faults} == ABLE


def test_a_plan_is_found_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(dump(FaultPlan(seed=4)))
    assert find(str(tmp_path / "mine.json")) == FaultPlan(seed=4)
    with pytest.raises(BadPlan, match="nowhere"):
        find("nowhere")
