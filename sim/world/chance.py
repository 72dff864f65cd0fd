"""Chance in a world: as many independent streams as are asked for, all from one seed."""

from __future__ import annotations

from random import Random


def stream(seed: int, *names: object) -> Random:
    """The stream of this name; the same in every process."""
    return Random(f"{seed}/{'/'.join(map(str, names))}")  # noqa: S311 - it must be repeatable, not secret
