"""One seed from its beginning to its end."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from sim.faults.plan import FaultPlan
from sim.history.checker import Verdict
from sim.history.events import Event
from sim.world.calm_checks import examine
from sim.world.client_pool import Pool
from sim.world.coverage import Coverage
from sim.world.setup import Setup, draw_plan, draw_setup
from sim.world.world import World

_AWS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""All that boto3 finds of AWS in the environment, whatever the person who runs a world has set."""
_ALLOCATIONS = 50_000
"""Between two looks of the collector: https://docs.python.org/3/library/gc.html#gc.set_threshold"""


@dataclass(frozen=True)
class Result:
    """What became of a seed. `history` is that of its last episode, which is the bad one if one was."""

    seed: int
    verdict: Verdict
    episodes: int
    coverage: Coverage
    history: tuple[Event, ...] = field(repr=False)


def run(
    seed: int,
    hours: float,
    pool: Pool,
    *,
    plan: FaultPlan | None = None,
    setup: Setup | None = None,
    trail: bool = False,
    keep: list[Event] | None = None,
) -> Result:
    """Runs a world until so many hours of its time are over, or an episode was bad.

    What is not given is drawn from the seed. `keep` is given every event of every episode.
    """
    setup = setup or draw_setup(seed)
    world = World(seed, setup, plan or draw_plan(seed, setup), pool, trail=trail)
    with staged(), closing(world.episodes(examine)) as episodes:
        for number, episode in enumerate(episodes, 1):
            if keep is not None:
                keep += episode.history
            if not episode.verdict.good or world.scheduler.now >= hours * 3600:
                return Result(seed, episode.verdict, number, world.coverage, episode.history)
    raise AssertionError("a world has no end of its own")


@contextmanager
def staged() -> Iterator[None]:
    """What worlds need of the process around them: credentials that are none, no logs of the services, and a collector
    that looks seldom, and not at boto3's models, which takes a seventh of the time."""
    before = _replace_aws(_AWS)
    services = logging.getLogger("services")
    level = services.level
    services.setLevel(logging.CRITICAL + 1)
    collects = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *collects[1:])
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*collects)
        services.setLevel(level)
        _replace_aws(before)


def _replace_aws(settings: Mapping[str, str]) -> dict[str, str]:
    """Makes these the only settings of AWS in the environment. Returns those that were there."""
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
    os.environ.update(settings)
    return before
