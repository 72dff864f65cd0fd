"""A service that makes use of what its contract leaves open."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from sim.aws.model import Freedom, Item


class Seeded:
    """Uses each freedom with its own probability, 0 where `odds` has none. `used` counts how often it did."""

    def __init__(self, draw: random.Random, odds: Mapping[Freedom, float]) -> None:
        self._draw = draw
        self._odds = odds
        self.used: Counter[Freedom] = Counter()

    def happens(self, freedom: Freedom) -> bool:
        odds = self._odds.get(freedom, 0.0)
        if not odds or self._draw.random() >= odds:
            return False
        self.used[freedom] += 1
        return True

    def pick(self, candidates: Sequence[Item], at_most: int) -> Sequence[Item]:
        most = min(at_most, len(candidates))
        return self._draw.sample(candidates, self._draw.randint(min(1, most), most))

    def between(self, low: float, high: float) -> float:
        return self._draw.uniform(low, high)

    def identity(self) -> str:
        return f"{self._draw.getrandbits(128):032x}"
