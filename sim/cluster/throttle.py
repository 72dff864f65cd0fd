"""The back-off of tasks that cannot start.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html
"""

from __future__ import annotations

from typing import Final

from sim.cluster.citations import ECS_GUIDE, cites, inferred
from sim.cluster.tasks import Task

LONGEST_SECONDS: Final = 15 * 60.0
_FIRST_SECONDS: Final = 10.0
_WITHOUT_DELAY: Final = 2


@cites(ECS_GUIDE + "service-throttle-logic.html")
def failed_to_start(task: Task) -> bool:
    """Only a task that went from PENDING to STOPPED slows the next one; one that ran does not, even for a second."""
    return task.stopped and task.started_at is None and task.stop_code == "TaskFailedToStart"


@inferred("AWS says that the delay grows up to 15 minutes, not how: doubling from one step of the scheduler")
def delay_seconds(failures: int) -> float:
    """The delay before the next start doubles with each failure after the second, to at most 15 minutes."""
    if failures <= _WITHOUT_DELAY:
        return 0.0
    return float(min(_FIRST_SECONDS * 2 ** (failures - _WITHOUT_DELAY), LONGEST_SECONDS))
