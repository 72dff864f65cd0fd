"""The table of the figures and the goals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.measure import MANY, Figures

_DIGITS = 3


@dataclass(frozen=True)
class Goal:
    """A bound on the product's figure, or with `of_ratio` on product divided by plain."""

    bound: float
    at_least: bool = False
    of_ratio: bool = False

    def text(self, product: float, ratio: float | None) -> str:
        """The goal, and whether it is reached."""
        measured = ratio if self.of_ratio else product
        reached = measured is not None and (measured >= self.bound if self.at_least else measured <= self.bound)
        relation, what = ">=" if self.at_least else "<=", " times plain" if self.of_ratio else ""
        return f"{relation} {self.bound:g}{what}: {'reached' if reached else 'MISSED'}"


def goals(delay_ms: float) -> dict[str, Goal]:
    """The goals by figure, where an AWS call takes `delay_ms`."""
    return {
        f"publishes a second, {MANY} clients": Goal(8, at_least=True, of_ratio=True),
        f"p99 of a publish in ms, {MANY} clients": Goal(0.25, of_ratio=True),
        "p50 of a publish in ms, 1 client": Goal(delay_ms + 5),
        "e-mails drained a second": Goal(40, at_least=True, of_ratio=True),
        f"SQS sends an e-mail, {MANY} clients": Goal(0.2),
        "SQS deletes an e-mail": Goal(0.2),
    }


def rows(plain: Figures, product: Figures, delay_ms: float) -> list[Mapping[str, object]]:
    """One row for each figure. The ratio is product divided by plain, and None if plain is 0."""
    aims = goals(delay_ms)
    table: list[Mapping[str, object]] = []
    for figure, measured in product.items():
        ratio = measured / plain[figure] if plain[figure] else None
        goal = aims[figure].text(measured, ratio) if figure in aims else ""
        numbers = {"plain": plain[figure], "product": measured, "ratio": ratio}
        table.append({"figure": figure, **{name: _rounded(each) for name, each in numbers.items()}, "goal": goal})
    return table


def _rounded(value: float | None) -> float | None:
    """A figure with three significant digits."""
    return None if value is None else float(f"{value:.{_DIGITS}g}")
