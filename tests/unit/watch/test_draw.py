"""What the page shows of what was observed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.cluster.aws_clock import AwsClock
from sim.faults.plan import Fault, FaultPlan, Rule
from sim.watch.draw import Drawn, draw
from sim.watch.observed import Observation, PartTask, SeenPart
from sim.watch.picture import Health, Kind, Picture
from tests.unit.watch.seen import (
    AT,
    BALANCER,
    OLD,
    alarm,
    cluster,
    instance,
    observation,
    project,
    queue,
    rolling,
    service,
    task,
)

FIRST = instance(0)["ec2InstanceId"]


def pictures(*observations: Observation) -> list[Picture]:
    """The pictures of observations one after the other."""
    before: Drawn | None = None
    found = []
    for each in observations:
        before = draw(each, before)
        found.append(before.picture)
    return found


def words(picture: Picture) -> list[str]:
    return [each.text for each in picture.moments.values()]


def test_a_cluster_is_its_services_instances_and_tasks() -> None:
    [picture] = pictures(observation(cluster(tasks=4)))
    assert {name: (each.healthy, each.desired, each.version) for name, each in picture.services.items()} == {
        "api": (4, 4, "1.4.0"),
        "worker": (1, 1, "2.0.1"),
    }
    assert {name: (each.in_service, each.registered) for name, each in picture.entries.items()} == {BALANCER: (2, 2)}
    assert {each.zone for each in picture.instances.values()} == {"eu-central-1a", "eu-central-1b"}
    assert sum(each.instance == FIRST for each in picture.tasks.values()) == 3
    assert set(picture.versions) == {"1.4.0", "2.0.1"}


@pytest.mark.parametrize(
    ("said", "health"),
    [
        ({}, Health.GOOD),
        ({"healthStatus": "UNHEALTHY"}, Health.BAD),
        ({"healthStatus": "UNKNOWN"}, Health.STARTING),
        ({"lastStatus": "PENDING"}, Health.STARTING),
        ({"desiredStatus": "STOPPED"}, Health.STOPPING),
    ],
)
def test_the_health_of_a_task_is_what_ecs_says(said: dict[str, Any], health: Health) -> None:
    [picture] = pictures(observation(replace(cluster(), tasks=[task(1, "api", OLD, 0, **said)])))
    assert [each.health for each in picture.tasks.values()] == [health]


def test_a_task_that_has_stopped_is_not_there() -> None:
    [picture] = pictures(observation(replace(cluster(), tasks=[task(1, "api", OLD, 0, lastStatus="STOPPED")])))
    assert not picture.tasks


def test_a_deployment_shows_both_versions_and_how_far_it_is() -> None:
    still = cluster(tasks=4)
    before, during, after = pictures(
        observation(still), observation(rolling(still, 1), AT + 1), observation(rolling(still, 4), AT + 2)
    )
    assert before.services["api"].rollout == ""
    assert during.services["api"].rollout == "1.5.0: 1 of 4, 3 to replace"
    assert during.services["api"].versions == {"1.4.0": 3, "1.5.0": 1}
    assert during.versions.items() > before.versions.items(), "a version keeps its colour"
    assert "deployment of api: 1.5.0 is to replace 1.4.0" in words(during)
    over = replace(rolling(still, 4), services={**still.services, "api": service("api", "api:2", 4)})
    [*_, last] = pictures(observation(still), observation(rolling(still, 1), AT + 1), observation(over, AT + 2))
    assert "all tasks of api are 1.5.0" in words(last)
    assert after.services["api"].versions == {"1.5.0": 4}


def test_rates_are_what_counts_grow_by_and_a_count_that_begins_again_is_no_rate() -> None:
    seen = cluster()
    calls = {("worker", "PutObject", "200"): 0, ("worker", "PutObject", "503"): 0}
    more = {("worker", "PutObject", "200"): 20, ("worker", "PutObject", "503"): 10}
    first, second, third = pictures(
        observation(seen, answered={"200": 100, "503": 0}, calls=calls),
        observation(seen, AT + 2, answered={"200": 140, "503": 4}, objects=20, calls=more),
        observation(seen, AT + 4, answered={"200": 0}, objects=20, calls=more),
    )
    rates = [each.entries[BALANCER].rates for each in (first, second, third)]
    assert rates[0]["2xx"] == 0
    assert (rates[1]["2xx"], rates[1]["5xx"]) == (10, 1), "half of it, the rest is smoothed away"
    assert [each.bucket.rate for each in (second, third) if each.bucket] == [5, 2.5]
    assert (second.services["worker"].calls["PutObject"], second.services["worker"].failing) == (7.5, 2.5)
    assert rates[2]["2xx"] == 5


def test_a_queue_is_busy_from_when_it_was_not_empty_until_it_is() -> None:
    seen = cluster()
    found = pictures(
        observation(seen),
        observation(seen, AT + 1, waiting=queue(3)),
        observation(seen, AT + 2, waiting=queue(0, 1)),
        observation(seen, AT + 3),
    )
    assert [each.queue.busy_since for each in found if each.queue] == [0, AT + 1, AT + 1, 0]


def test_a_number_of_objects_that_is_old_says_of_when_it_is() -> None:
    found = pictures(observation(None, AT + 1, counted=AT), observation(None, AT + 9, counted=AT))
    assert [each.bucket.as_of for each in found if each.bucket] == [0, AT]


def test_a_lost_instance_is_a_fault_and_can_be_brought_back() -> None:
    seen = cluster()
    lost = replace(seen, instances=[instance(0, connected=False), instance(1, status="DRAINING")])
    _, picture, back = pictures(observation(seen), observation(lost, AT + 1), observation(seen, AT + 2))
    assert picture.instances[FIRST].state == "cut off"
    assert picture.faults[FIRST].end == {"act": "bring-back", "instance": FIRST}
    assert words(picture)[-2:] == [f"instance {FIRST} is cut off", f"instance {instance(1)['ec2InstanceId']} drains"]
    assert words(back)[-2] == f"instance {FIRST} is back"


def test_faults_of_calls_are_named_and_begin_and_end() -> None:
    rule = Rule(Fault.LATENCY, caller="worker", service="s3", probability=0.3, seconds=2)
    seen = cluster()
    _, during, after = pictures(
        observation(seen),
        observation(seen, AT + 1, plan=FaultPlan((rule,)), cut=("api-sqs",)),
        observation(seen, AT + 2),
    )
    assert {name: each.detail for name, each in during.faults.items()} == {
        "latency worker s3": "30% of the calls of worker s3, 2 s",
        "api-sqs": "the api does not reach SQS",
    }
    assert not after.faults
    assert [each for each in words(after) if "partition" in each] == [
        "partition began: the api does not reach SQS",
        "partition ended: the api does not reach SQS",
    ]


def test_an_alarm_that_scales_is_no_trouble() -> None:
    seen = cluster()
    loud = replace(seen, alarms=[alarm("emails-latency", "ALARM"), alarm("TargetTracking-worker-low")])
    _, picture = pictures(observation(seen), observation(loud, AT + 1))
    changed = {each.text: each.bad for each in picture.moments.values() if each.kind is Kind.ALARM}
    assert changed == {"alarm emails-latency is ALARM": True, "alarm TargetTracking-worker-low is OK": False}


def test_what_ecs_says_comes_at_the_time_of_this_machine() -> None:
    fast = replace(cluster(), clock=AwsClock(AT - 120, 10))
    [picture] = pictures(observation(fast))
    assert {each.text: each.at for each in picture.moments.values()}["api has started 1 tasks: 00000000."] == AT - 114


def test_without_a_cluster_the_parts_are_the_tasks() -> None:
    parts = {"api": SeenPart(runs=True, good=True, detail="here"), "worker": SeenPart(False, False, "process 5")}
    seen = observation(
        None, parts=parts, tasks={"api": PartTask("api", "1.0.0"), "worker": PartTask("worker", "2.0.0")}
    )
    [picture] = pictures(seen)
    assert {name: each.health for name, each in picture.tasks.items()} == {"api": Health.GOOD, "worker": Health.ENDED}
    assert (picture.services["worker"].running, picture.services["worker"].desired) == (0, 1)
    assert "inject" in picture.acts
    assert "lose-task" not in picture.acts


def test_every_load_balancer_of_a_project_is_there_and_nothing_of_a_pipeline() -> None:
    _, picture = pictures(
        project(answered={"shop-web": {"200": 0}, "shop-admin": {"200": 0}}),
        project(AT + 1, answered={"shop-web": {"200": 8}, "shop-admin": {"503": 2}}),
    )
    entries = {name: (each.in_service, each.registered, each.rates) for name, each in picture.entries.items()}
    assert list(entries) == ["shop-admin", "shop-web"]
    assert (entries["shop-web"][:2], entries["shop-web"][2]["2xx"]) == ((1, 2), 4)
    assert (entries["shop-admin"][:2], entries["shop-admin"][2]["5xx"]) == ((1, 1), 1)
    assert picture.entries["shop-web"].urls == {"80": "http://127.0.0.1:4701"}
    assert {name: each.behind for name, each in picture.services.items()} == {
        "web": ("shop-web",),
        "admin": ("shop-admin",),
        "watch": (),
    }
    second = picture.instances[instance(1)["ec2InstanceId"]].balancers
    assert {name: (each.state, each.reason) for name, each in second.items()} == {
        "shop-admin": ("InService", ""),
        "shop-web": ("OutOfService", "Instance has failed"),
    }
    assert not {"queue", "dead_letters", "bucket"} & picture.document().keys()
    assert {"scale", "lose-instance"} < set(picture.acts)
    assert not {"inject", "deploy", "lose-nat"} & set(picture.acts)


def test_a_quiet_stack_makes_the_same_picture_again() -> None:
    one, other = pictures(observation(cluster()), observation(cluster(), AT + 1))
    assert one == other
