"""What tasks use, in percent of what is reserved for them."""

from __future__ import annotations

from sim.agent.local import Local, LocalContainer, LocalTask
from sim.agent.telemetry import Data, Meter, Usage
from sim.cluster.aws_clock import THIS_MACHINES, AwsClock
from sim.cluster.desired import DesiredInstance, DesiredTask, Place

PLACE = Place("1", "r")
MIB = 1024 * 1024
START = 1000.0


def task(name: str = "t", group: str = "service:api", status: str = "RUNNING") -> LocalTask:
    """A task with two containers, of half a CPU and 200 MiB together, which runs for half a minute at 1000."""
    definition = {
        "taskDefinitionArn": "d",
        "containerDefinitions": [{"name": each, "cpu": 256, "memory": 100} for each in ("a", "b")],
    }
    desired = DesiredTask(name, PLACE, "arn:aws:ecs:r:1:cluster/c", "i", definition, {}, group, "", START, "RUNNING")
    of = [LocalContainer(each, status, started_at=START - 30) for each in ("a", "b")]  # type: ignore[arg-type]
    return LocalTask(desired, "i-1", tuple(of))


def local(*tasks: LocalTask) -> Local:
    return Local({each.task.arn: each for each in tasks})


def values(data: Data) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for each in data.get((PLACE, "AWS/ECS"), []):
        assert each["Dimensions"] == [
            {"Name": "ClusterName", "Value": "c"},
            {"Name": "ServiceName", "Value": "api"},
        ]
        found.setdefault(each["MetricName"], []).append(each["Value"])
    return found


def test_a_minute_is_the_difference_to_the_reading_before() -> None:
    meter, first = Meter(START - 60).read(local(task()), (), lambda *_: Usage(3.0, 50 * MIB), START, THIS_MACHINES)
    assert values(first) == {"CPUUtilization": [40.0], "MemoryUtilization": [50.0]}
    _, second = meter.read(local(task()), (), lambda *_: Usage(6.0, 20 * MIB), START + 60, THIS_MACHINES)
    assert values(second) == {"CPUUtilization": [20.0], "MemoryUtilization": [20.0]}


def test_each_task_of_a_service_that_runs_is_one_sample() -> None:
    tasks = (task("t"), task("u"), task("v", status="STOPPED"), task("w", group="family:w"))
    _, data = Meter(START).read(local(*tasks), (), lambda *_: None, START + 60, THIS_MACHINES)
    assert values(data) == {"CPUUtilization": [0.0, 0.0], "MemoryUtilization": [0.0, 0.0]}


def test_the_usage_is_that_of_this_machines_seconds_and_its_time_is_awss() -> None:
    clock = AwsClock(START, 10)
    _, data = Meter(START).read(local(task()), (), lambda *_: Usage(3.0, 50 * MIB), START + 6, clock)
    assert values(data)["CPUUtilization"] == [200.0]
    assert {each["Timestamp"].timestamp() for each in data[PLACE, "AWS/ECS"]} == {START + 60}


def instance(name: str, kind: str = "t3.small", group: str = "", *, lost: bool = False) -> DesiredInstance:
    return DesiredInstance(name, PLACE, "a", "10.0.0.1", kind, "ami", "", lost=lost, group=group)


def test_an_instance_uses_what_its_tasks_do_and_is_a_sample_of_its_group() -> None:
    instances = (instance("i-1", group="g"), instance("i-2", group="g"), instance("i-3"))
    tasks = local(task(), task("u"))
    _, data = Meter(START - 60).read(tasks, instances, lambda *_: Usage(3.0, 0), START, THIS_MACHINES)
    found = {each["Dimensions"][0]["Value"]: each["StatisticValues"] for each in data[PLACE, "AWS/EC2"]}
    assert {name: each["Sum"] for name, each in found.items()} == {"i-1": 20.0, "g": 20.0, "i-2": 0.0, "i-3": 0.0}
    assert found["g"] == {"SampleCount": 2, "Sum": 20.0, "Minimum": 0.0, "Maximum": 20.0}


def test_nothing_is_said_of_an_instance_that_is_cut_off_or_whose_type_is_not_known() -> None:
    instances = (instance("i-1", lost=True), instance("i-2", "z9.huge"))
    _, data = Meter(START).read(local(), instances, lambda *_: None, START + 60, THIS_MACHINES)
    assert not any(data.values())
