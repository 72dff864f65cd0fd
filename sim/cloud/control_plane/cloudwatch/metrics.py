"""The metrics that LocalStack keeps in a database, read and written as a table.

LocalStack's own way writes each data point in a transaction of its own, and takes a metric with more dimensions than it
looks for as well.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from sim.cluster.cloudwatch.metric_math import Metric
from sim.cluster.cloudwatch.statistics import Samples
from sim.cluster.desired import Place

_Row = tuple[str | int | float | None, ...]
_PATIENCE_SECONDS: Final = 10.0
_READ: Final = """
SELECT timestamp, samples, total, least, most FROM (
  SELECT account_id, region, namespace, metric_name, dimensions, timestamp,
    1 AS samples, value AS total, value AS least, value AS most FROM SINGLE_METRICS
  UNION ALL
  SELECT account_id, region, namespace, metric_name, dimensions, timestamp,
    sample_count, sum, min, max FROM AGGREGATED_METRICS
)
WHERE account_id = ? AND region = ? AND namespace = ? AND metric_name = ? AND dimensions IS ?
  AND timestamp >= ? AND timestamp < ?
"""
_WRITE: Final = """
INSERT INTO SINGLE_METRICS (account_id, region, metric_name, namespace, timestamp, dimensions, unit, value)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_WRITE_SET: Final = """
INSERT INTO AGGREGATED_METRICS (account_id, region, metric_name, namespace, timestamp, dimensions, unit, sample_count,
  sum, min, max)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True)
class Published:
    """A value of a metric at a second since 1970."""

    place: Place
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    at: int
    value: float
    unit: str = "Count"


@dataclass(frozen=True)
class PublishedSet:
    """A statistic set of a metric."""

    place: Place
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    samples: Samples
    unit: str | None


class Metrics:
    """The database in the file that `path` names, once there is one."""

    def __init__(self, path: Callable[[], str]) -> None:
        self._path = path

    def read(self, place: Place, metric: Metric, start: int, end: int) -> list[Samples]:
        """What was published of a metric, from the start up to the end."""
        of = (metric.namespace, metric.name, _dimensions(metric.dimensions), start, end)
        with closing(self._connect()) as connection:
            rows = connection.execute(_READ, (place.account, place.region, *of)).fetchall()
        return [Samples(int(at), *(float(each) for each in rest)) for at, *rest in rows]

    def write(self, points: Iterable[Published]) -> None:
        """Publishes values, all in one transaction."""
        self._insert(_WRITE, [_row(each) for each in points])

    def write_sets(self, sets: Iterable[PublishedSet]) -> None:
        """Publishes statistic sets, all in one transaction."""
        self._insert(_WRITE_SET, [_row_of_set(each) for each in sets])

    def _insert(self, statement: str, rows: Sequence[_Row]) -> None:
        if rows:
            with closing(self._connect()) as connection, connection:
                connection.executemany(statement, rows)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path(), timeout=_PATIENCE_SECONDS)


def _dimensions(of: Iterable[tuple[str, str]]) -> str | None:
    """As LocalStack writes them into one column."""
    return "".join(f"{name}={each}\t" for name, each in sorted(of)) or None


def _row(of: Published) -> _Row:
    place, dimensions = of.place, _dimensions(of.dimensions)
    return place.account, place.region, of.name, of.namespace, of.at, dimensions, of.unit, of.value


def _row_of_set(of: PublishedSet) -> _Row:
    place, dimensions, found = of.place, _dimensions(of.dimensions), of.samples
    statistics = (found.count, found.total, found.minimum, found.maximum)
    return place.account, place.region, of.name, of.namespace, found.at, dimensions, of.unit, *statistics
