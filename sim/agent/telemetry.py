"""What tasks use of the CPU and the memory that is reserved for them, and of the CPUs of their EC2 instances.

There is a sample of each task and of each instance every minute, as with EC2's detailed monitoring.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sim.agent.local import Local, LocalContainer, LocalTask
from sim.aws.arn import last_part
from sim.cluster.aws_clock import AwsClock
from sim.cluster.desired import DesiredInstance, Place
from sim.cluster.instance_types import CPU_UNITS, resources
from sim.cluster.task_definitions import registered

_OF_TASKS: Final = "AWS/ECS"
_OF_INSTANCES: Final = "AWS/EC2"
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
Data = Mapping[tuple[Place, str], list[dict[str, Any]]]
"""The data of PutMetricData, by account and region, and by namespace."""


@dataclass(frozen=True, slots=True)
class Meter:
    """The CPU seconds of every container at the reading before, and when that was."""

    read_at: float
    before: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def read(
        self, local: Local, instances: Iterable[DesiredInstance], usage: Read, now: float, clock: AwsClock
    ) -> tuple[Meter, Data]:
        """The next reading, and the data at AWS's time, of each task of a service that runs and of each instance."""
        data: defaultdict[tuple[Place, str], list[dict[str, Any]]] = defaultdict(list)
        seconds: dict[tuple[str, str], float] = {}
        used: defaultdict[str, float] = defaultdict(float)
        for task in local.tasks.values():
            cpus, memory = 0.0, 0
            running = [each for each in task.containers if each.status == "RUNNING"]
            for each in running:
                if found := usage(task, each.name):
                    key = (task.task.arn, each.name)
                    seconds[key] = found.cpu_seconds
                    cpus += max(found.cpu_seconds - self.before.get(key, 0.0), 0.0) / self._since(each, now)
                    memory += found.memory_bytes
            used[task.instance] += cpus
            if running and task.task.group.startswith("service:"):
                data[task.task.place, _OF_TASKS] += _data(task, cpus, memory, clock.at(now))
        for place, datum in _of_instances(instances, used, clock.at(now)):
            data[place, _OF_INSTANCES].append(datum)
        return Meter(now, seconds), data

    def _since(self, container: LocalContainer, now: float) -> float:
        return max(now - max(self.read_at, container.started_at or 0.0), 1.0)


def _data(task: LocalTask, cpus: float, memory: int, at: float) -> list[dict[str, Any]]:
    definition = registered(task.task.definition["taskDefinitionArn"], task.task.definition)
    shares = {
        "CPUUtilization": cpus * CPU_UNITS / max(definition.cpu, _LEAST_CPU),
        "MemoryUtilization": memory / (max(definition.memory, 1) * _MIB),
    }
    dimensions = [
        {"Name": "ClusterName", "Value": last_part(task.task.cluster)},
        {"Name": "ServiceName", "Value": task.task.group.partition(":")[2]},
    ]
    return [{**_datum(name, dimensions, at), "Value": 100 * share} for name, share in shares.items()]


def _of_instances(
    instances: Iterable[DesiredInstance], used: Mapping[str, float], at: float
) -> Iterator[tuple[Place, dict[str, Any]]]:
    """What each instance and each Auto Scaling group uses of its CPUs, as sets, which CloudWatch writes together.

    Nothing is known of one that is cut off, nor of a type that is not in the list.
    """
    shares: defaultdict[tuple[Place, str, str], list[float]] = defaultdict(list)
    for each in instances:
        known = resources(each.instance_type)
        if known is None or each.lost:
            continue
        percent = 100 * min(used.get(each.id, 0.0) * CPU_UNITS / known[0], 1.0)
        shares[each.place, "InstanceId", each.id].append(percent)
        if each.group:
            shares[each.place, "AutoScalingGroupName", each.group].append(percent)
    for (place, name, value), of in shares.items():
        values = {"SampleCount": len(of), "Sum": sum(of), "Minimum": min(of), "Maximum": max(of)}
        yield place, {**_datum("CPUUtilization", [{"Name": name, "Value": value}], at), "StatisticValues": values}


def _datum(name: str, dimensions: list[dict[str, str]], at: float) -> dict[str, Any]:
    """A datum without its value."""
    return {
        "MetricName": name,
        "Dimensions": dimensions,
        "Timestamp": datetime.fromtimestamp(at, UTC),
        "Unit": "Percent",
    }
