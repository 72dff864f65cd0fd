"""The checker catches every planted bug, within few seeds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.sweep import first_catch
from sim.world.mutants import MUTANTS, Mutant

BUDGET = 5
PAGE = Path(__file__).resolve().parents[3] / "docs/world.md"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught(mutant: Mutant) -> None:
    assert first_catch(mutant, range(1, BUDGET + 1)) is not None


def test_the_page_names_every_mutant_with_its_verdicts() -> None:
    rows = re.findall(r"^\| ([^|`]+) \| ([^|`]+) \| \d+ \|$", PAGE.read_text(), flags=re.MULTILINE)
    assert len(rows) == len(MUTANTS)
    for mutant, (name, verdicts) in zip(MUTANTS, rows, strict=True):
        assert name == mutant.name
        assert set(verdicts.split(", ")) <= mutant.verdicts
