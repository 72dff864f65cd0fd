"""The checker catches every planted bug, within few seeds."""

from __future__ import annotations

import pytest

from sim.world.mutants import MUTANTS, Mutant
from sim.world.sweep import first_catch

SEEDS = (2, 7, 100, 102, 10, 101, 5, 8, 4, 3)
"""Those that run fastest first; every bug is caught by the first or the second (`docs/world.md`)."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught(mutant: Mutant) -> None:
    assert first_catch(mutant, SEEDS) is not None
