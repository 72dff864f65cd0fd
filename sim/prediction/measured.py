"""Times of an application, read from records of AWS.

How long it takes from RUNNING until it answers is in none of them: a load balancer sees it only some checks later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sim.errors import SimError
from sim.prediction.scenario import Seconds

_TASK_TIMES = {"launch": (("pullStartedAt", "createdAt"), "startedAt"), "stop": (("stoppingAt",), "stoppedAt")}
"""From the first of these moments that a task has, to the last. One that waits for room is created long before an agent
pulls its image."""
_LOG_TIMES = slice(4, 7)
"""Fields of a line: until the request was sent to the instance, until its answer, until the end. -1 if it was not."""


class NotMeasured(SimError):
    """A file is no record that times can be read from."""


def measured(name: str, text: str) -> Mapping[str, Seconds]:
    """The times that a record has, from the shortest to the longest: `launch` and `stop`, or `drain`.

    It is an answer of DescribeTasks or an access log of a Classic ELB. `name` is the file's, for the error. Raises
    NotMeasured.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
    """
    try:
        spans = _of_tasks(json.loads(text)["tasks"]) if text.lstrip().startswith("{") else _of_requests(text)
    except (ValueError, KeyError, TypeError):
        raise NotMeasured(
            f"{name} is neither what `aws ecs describe-tasks` prints nor an access log of a Classic ELB; "
            "give one of these"
        ) from None
    return {time: Seconds(min(each), max(each)) for time, each in spans.items() if each}


def _of_tasks(tasks: Iterable[Mapping[str, Any]]) -> dict[str, list[float]]:
    return {
        time: [
            (datetime.fromisoformat(str(task[end])) - datetime.fromisoformat(str(begin))).total_seconds()
            for task in tasks
            if (begin := next((task[each] for each in begins if task.get(each)), None)) and task.get(end)
        ]
        for time, (begins, end) in _TASK_TIMES.items()
    }


def _of_requests(lines: str) -> dict[str, list[float]]:
    taken = [[float(each) for each in line.split(" ")[_LOG_TIMES]] for line in lines.splitlines()]
    if not taken or any(len(each) < _LOG_TIMES.stop - _LOG_TIMES.start for each in taken):
        raise ValueError
    return {"drain": [sum(each) for each in taken if min(each) >= 0]}
