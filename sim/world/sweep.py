"""Many seeds of the world, on several cores."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache, partial

from sim.errors import SimError
from sim.faults.plan import FaultPlan
from sim.history.timeline import timeline
from sim.world.client_pool import Pool
from sim.world.mutants import MUTANTS, Mutant
from sim.world.run import Result, run


class BadSeeds(SimError):
    """A text names no seeds."""


@dataclass(frozen=True)
class Catch:
    """How a mutant was caught: by which verdicts, and for each seed from which one starts how many seeds that took,
    None where it was not caught any more."""

    mutant: str
    verdicts: tuple[str, ...]
    caught: int
    seeds: int
    median: int | None


def parse_seeds(text: str) -> range:
    """`17` or `1..40`, both ends included. Raises BadSeeds."""
    first, _, last = text.partition("..")
    try:
        seeds = range(int(first), int(last or first) + 1)
    except ValueError:
        seeds = range(0)
    if not seeds:
        raise BadSeeds(f"{text!r} names no seeds: write 17, or 1..40")
    return seeds


def fresh_seeds(count: int) -> list[int]:
    """Seeds that hardly anybody has tried."""
    return [int.from_bytes(os.urandom(4)) for _ in range(count)]


def sweep(seeds: Sequence[int], hours: float, jobs: int, plan: FaultPlan | None) -> Iterator[Result]:
    """The results as they come. Those of good seeds come without their histories."""
    work = partial(_result, hours=hours, plan=plan)
    if jobs == 1 or len(seeds) == 1:
        yield from map(work, seeds)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(work, seed) for seed in seeds]):
            yield future.result()


def timeline_of_first_wrong(result: Result, hours: float, plan: FaultPlan | None) -> list[str]:
    """The timeline of the first e-mail that went wrong, with every call: the seed is run once more for it."""
    again = run(result.seed, hours, _pool(), plan=plan, trail=True)
    for names in again.verdict.wrong().values():
        for name in names:
            if events := timeline(again.history, name):
                return events
    return []


def catches(seeds: Sequence[int], jobs: int) -> Iterator[Catch]:
    """Every mutant, run on every seed."""
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for mutant in MUTANTS:
            yield _catch(mutant, list(pool.map(partial(_verdicts, mutant.name), seeds)))


def first_catch(mutant: Mutant, seeds: Sequence[int]) -> int | None:
    """After how many seeds a mutant is caught, if it is."""
    for number, seed in enumerate(seeds, 1):
        if mutant.verdicts & _verdicts(mutant.name, seed):
            return number
    return None


def _catch(mutant: Mutant, verdicts: list[frozenset[str]]) -> Catch:
    found = [bool(each & mutant.verdicts) for each in verdicts]
    waits = sorted(
        found[start:].index(True) + 1 if True in found[start:] else len(found) for start in range(len(found))
    )
    seen = sorted(mutant.verdicts & frozenset().union(*verdicts))
    median = waits[len(waits) // 2] if any(found) else None
    return Catch(mutant.name, tuple(seen), sum(found), len(found), median)


def _verdicts(mutant: str, seed: int) -> frozenset[str]:
    planted = next(each for each in MUTANTS if each.name == mutant)
    with planted.planted():
        return frozenset(run(seed, 0, _pool()).verdict.wrong())


def _result(seed: int, hours: float, plan: FaultPlan | None) -> Result:
    result = run(seed, hours, _pool(), plan=plan)
    return replace(result, history=()) if result.verdict.good else result


@cache
def _pool() -> Pool:
    return Pool()
