"""The checker catches every planted bug, within few seeds."""

from __future__ import annotations

import pytest

from sim.world.mutants import MUTANTS, Mutant
from sim.world.sweep import first_catch

BUDGET = 10


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught(mutant: Mutant) -> None:
    assert first_catch(mutant, range(1, BUDGET + 1)) is not None
