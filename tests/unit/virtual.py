"""The virtual time of the unit tests: the world's, with one machine in it and no chance."""

from __future__ import annotations

import random

from sim.world.scheduler import Scheduler
from sim.world.virtual_time import WorldRuntime


def virtual_runtime() -> WorldRuntime:
    """A machine alone. The test is a task like those that it spawns; `scheduler.close()` ends those that are left."""
    return WorldRuntime(Scheduler(), random.Random(0))
