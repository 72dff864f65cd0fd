"""The goals and the tables, from the figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from bench.figures import Figures, Side

MANY = 64
"""The number of clients that the goals refer to."""


@dataclass(frozen=True)
class Goal:
    """A goal: the measured value must be at least `bound`, or at most."""

    what: str
    measured: float
    bound: float
    at_least: bool
    unit: str = ""

    @property
    def met(self) -> bool:
        """True if the goal is reached. A missing figure (NaN) reaches no goal."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def ratio(product: float, plain: float) -> float:
    """Product divided by plain; NaN if plain is 0."""
    return product / plain if plain else math.nan


def goals(figures: Figures) -> tuple[Goal, ...]:
    """The goals with the measured values."""
    plain, product = figures.plain, figures.product
    many, plain_many = product.publishing[MANY], plain.publishing[MANY]
    publishes = ratio(many.per_second, plain_many.per_second)
    p99 = ratio(many.p99_ms, plain_many.p99_ms)
    drained = ratio(product.draining.per_second, plain.draining.per_second)
    alone, call = product.publishing[1].p50_ms, figures.call_ms
    return (
        Goal(f"publishes per second at {MANY} clients, product / plain", publishes, 8, at_least=True, unit=" x"),
        Goal(f"p99 of a publish at {MANY} clients, product / plain", p99, 0.25, at_least=False, unit=" x"),
        Goal("p50 of a publish at 1 client: one AWS call + 5 ms", alone, call + 5, at_least=False, unit=" ms"),
        Goal("e-mails drained per second, product / plain", drained, 40, at_least=True, unit=" x"),
        Goal(f"SQS sends per e-mail at {MANY} clients", many.sends_per_email, 0.2, at_least=False),
        Goal(f"SQS deletes per e-mail at {MANY} clients", product.together.deletes, 0.2, at_least=False),
    )


def document(figures: Figures) -> dict[str, Any]:
    """The figures and the goals, as JSON types."""
    judged = [dataclasses.asdict(goal) | {"met": goal.met} for goal in goals(figures)]
    return dataclasses.asdict(figures) | {"goals": judged}


def tables(figures: Figures) -> Iterator[Table]:
    """The tables of the figures, then the table of the goals."""
    yield _publishing(figures)
    yield _everything_else(figures)
    yield _cores(figures)
    yield _goals(figures)


def _publishing(figures: Figures) -> Table:
    headings = ("per second", "ratio", "at most", "p50 ms", "p99 ms", "ratio", "SQS sends per e-mail", "errors")
    table = _table("Publishing: plain, product (at most: if a publish took one AWS call)", "clients", *headings)
    for clients, product in figures.product.publishing.items():
        plain = figures.plain.publishing[clients]
        table.add_row(
            str(clients),
            _pair(plain.per_second, product.per_second),
            _text(ratio(product.per_second, plain.per_second)),
            _text(clients * 1000 / figures.call_ms),
            _pair(plain.p50_ms, product.p50_ms),
            _pair(plain.p99_ms, product.p99_ms),
            _text(ratio(product.p99_ms, plain.p99_ms)),
            _pair(plain.sends_per_email, product.sends_per_email),
            f"{plain.errors}, {product.errors}",
        )
    return table


def _everything_else(figures: Figures) -> Table:
    table = _table("Draining, and what it takes", "", "plain", "product", "product / plain")
    for (what, plain), (_, product) in zip(_rows(figures.plain), _rows(figures.product), strict=True):
        table.add_row(what, _text(plain), _text(product), _text(ratio(product, plain)))
    once = (side.draining.exactly_once for side in (figures.plain, figures.product))
    table.add_row("every e-mail stored and deleted exactly once", *("yes" if each else "NO" for each in once), "")
    return table


def _rows(side: Side) -> Iterator[tuple[str, float]]:
    drain, together = side.draining, side.together
    yield "e-mails drained per second", drain.per_second
    yield "... receives per e-mail", drain.receives
    yield "... puts per e-mail", drain.puts
    yield "... deletes per e-mail", drain.deletes
    yield f"both services at once, {MANY} clients: published per second", together.published_per_second
    yield "... drained per second", together.drained_per_second
    yield "... sends per e-mail", together.sends
    yield "... receives per e-mail", together.receives
    yield "... puts per e-mail", together.puts
    yield "... deletes per e-mail", together.deletes
    yield "AWS requests per e-mail in all", together.sends + together.receives + together.puts + together.deletes
    yield "API, resident MiB", side.memory.api_mib
    yield "worker, resident MiB", side.memory.worker_mib


def _cores(figures: Figures) -> Table:
    table = _table("Cores in use: plain, product", "", "service", "stub of AWS", "load generator")
    for clients, product in figures.product.publishing.items():
        plain = figures.plain.publishing[clients]
        table.add_row(
            f"publishing, {clients} clients",
            _pair(plain.service_cores, product.service_cores),
            _pair(plain.stub_cores, product.stub_cores),
            _pair(plain.load_cores, product.load_cores),
        )
    plain_drain, drain = figures.plain.draining, figures.product.draining
    service, stub = (plain_drain.service_cores, drain.service_cores), (plain_drain.stub_cores, drain.stub_cores)
    table.add_row("draining", _pair(*service), _pair(*stub), "")
    return table


def _goals(figures: Figures) -> Table:
    table = _table(f"Goals (one AWS call: {figures.call_ms:.1f} ms)", "", "measured", "to reach", "reached")
    for goal in goals(figures):
        bound = f"{'>=' if goal.at_least else '<='} {_text(goal.bound)}{goal.unit}"
        table.add_row(goal.what, f"{_text(goal.measured)}{goal.unit}", bound, "yes" if goal.met else "NO")
    return table


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _pair(plain: float, product: float) -> str:
    return f"{_text(plain)}, {_text(product)}"


def _text(value: float) -> str:
    """A figure with three significant digits, at most two of them after the point."""
    if math.isnan(value):
        return "-"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 2
    return f"{value:,.{min(max(digits, 0), 2)}f}"
