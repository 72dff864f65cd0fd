"""What tasks use of the CPU and the memory that is reserved for them: a sample of each task every minute.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sim.agent.local import Local, LocalContainer, LocalTask
from sim.aws.arn import last_part
from sim.cluster.aws_clock import AwsClock
from sim.cluster.desired import Place
from sim.cluster.task_definitions import registered

NAMESPACE: Final = "AWS/ECS"
_UNITS_PER_CPU: Final = 1024
_LEAST_CPU: Final = 2
"""CPU units of a task that reserves none, as its containers get them."""
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container has used of CPUs since its start, and has of memory now."""

    cpu_seconds: float
    memory_bytes: int


Read = Callable[[LocalTask, str], Usage | None]
"""The usage of a container by its name, None where it is not known."""
Data = Mapping[Place, list[dict[str, Any]]]
"""The data of PutMetricData, by account and region."""


@dataclass(frozen=True, slots=True)
class Meter:
    """The CPU seconds of every container at the reading before, and when that was."""

    read_at: float
    before: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def read(self, local: Local, usage: Read, now: float, clock: AwsClock) -> tuple[Meter, Data]:
        """The next reading, and a datum of each metric for each task of a service that runs, at AWS's time."""
        data: defaultdict[Place, list[dict[str, Any]]] = defaultdict(list)
        seconds: dict[tuple[str, str], float] = {}
        for task in local.tasks.values():
            cpus, memory = 0.0, 0
            running = [each for each in task.containers if each.status == "RUNNING"]
            for each in running:
                if found := usage(task, each.name):
                    key = (task.task.arn, each.name)
                    seconds[key] = found.cpu_seconds
                    cpus += max(found.cpu_seconds - self.before.get(key, 0.0), 0.0) / self._since(each, now)
                    memory += found.memory_bytes
            if running and task.task.group.startswith("service:"):
                data[task.task.place] += _data(task, cpus, memory, clock.at(now))
        return Meter(now, seconds), data

    def _since(self, container: LocalContainer, now: float) -> float:
        return max(now - max(self.read_at, container.started_at or 0.0), 1.0)


def _data(task: LocalTask, cpus: float, memory: int, at: float) -> list[dict[str, Any]]:
    definition = registered(task.task.definition["taskDefinitionArn"], task.task.definition)
    shares = {
        "CPUUtilization": cpus * _UNITS_PER_CPU / max(definition.cpu, _LEAST_CPU),
        "MemoryUtilization": memory / (max(definition.memory, 1) * _MIB),
    }
    dimensions = [
        {"Name": "ClusterName", "Value": last_part(task.task.cluster)},
        {"Name": "ServiceName", "Value": task.task.group.partition(":")[2]},
    ]
    moment = datetime.fromtimestamp(at, UTC)
    return [
        {"MetricName": name, "Dimensions": dimensions, "Timestamp": moment, "Value": 100 * share, "Unit": "Percent"}
        for name, share in shares.items()
    ]
