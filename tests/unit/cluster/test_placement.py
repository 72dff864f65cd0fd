"""Where tasks go: resources, ports, attributes, constraints, the query language, and strategies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from sim.cluster import daemons, placement, query
from sim.cluster.container_instances import ContainerInstance, draining, remaining
from sim.cluster.placement import Room, Strategy, choose, closest, lacking
from sim.cluster.query import InvalidExpression, parse
from sim.cluster.task_definitions import PlacementConstraint, PortMapping, TaskDefinition
from sim.cluster.tasks import Task, placed, running
from tests.unit.cluster.bench import APP, instances
from tests.unit.cluster.proves import proves

HOSTS = list(instances(4).values())


def room(*tasks: Task, hosts: Sequence[ContainerInstance] = HOSTS) -> Room:
    on = {host.id: [task for task in tasks if task.instance == host.id] for host in hosts}
    return Room(hosts, remaining(hosts, tasks), on, "service:app")


def task(instance: str, definition: TaskDefinition = APP, group: str = "service:app") -> Task:
    made = Task(f"{instance}/{group}", definition, 0.0, group, "ecs-svc/1")
    return running(placed(made, instance), 1.0)


def chosen(
    *tasks: Task, strategies: Sequence[Strategy] = (), hosts: Sequence[ContainerInstance] = HOSTS
) -> ContainerInstance | None:
    return choose(APP, (), strategies, room(*tasks, hosts=hosts), Random(1))


@proves(placement.ports_taken)
def test_a_port_is_used_once_and_the_agents_ports_never() -> None:
    (host,) = HOSTS[:1]
    assert lacking(APP, (), host, room(task("i1"))) == "RESOURCE:PORTS"
    ssh = TaskDefinition("ssh", ports=(PortMapping("ssh", 22, 22),))
    assert lacking(ssh, (), host, room()) == "RESOURCE:PORTS"
    udp = replace(APP, ports=(PortMapping("app", 8080, 8080, "udp"),))
    assert lacking(udp, (), host, room(task("i1"))) == ""


def test_what_an_instance_lacks_is_named_as_aws_does() -> None:
    (host,) = HOSTS[:1]
    assert lacking(TaskDefinition("x", cpu=2049), (), host, room()) == "RESOURCE:CPU"
    assert lacking(TaskDefinition("x", memory=1901), (), host, room()) == "RESOURCE:MEMORY"
    assert lacking(APP, (), replace(host, agent_connected=False), room()) == "AGENT"


@proves(placement.has_attributes)
def test_required_attributes_need_their_value_where_one_is_named() -> None:
    host = replace(HOSTS[0], attributes={"disk": "ssd", "gpu": None})
    assert placement.has_attributes(replace(APP, requires_attributes=(("gpu", None), ("disk", "ssd"))), host)
    assert not placement.has_attributes(replace(APP, requires_attributes=(("disk", "tape"),)), host)
    assert lacking(replace(APP, requires_attributes=(("tpu", None),)), (), HOSTS[0], room()) == "ATTRIBUTE"


@proves(placement.allows)
def test_constraints_keep_tasks_apart_or_on_the_instances_that_match() -> None:
    distinct = PlacementConstraint("distinctInstance")
    free = replace(APP, ports=())
    assert lacking(free, (distinct,), HOSTS[0], room(task("i1", free))) == "CONSTRAINT"
    assert lacking(free, (distinct,), HOSTS[0], room(task("i1", free, "service:other"))) == ""
    zone = PlacementConstraint("memberOf", "attribute:ecs.availability-zone == b")
    assert [each.id for each in HOSTS if not lacking(APP, (zone,), each, room())] == ["i2", "i4"]


@proves(placement.takes_new_tasks)
def test_a_draining_instance_gets_no_task() -> None:
    assert chosen(hosts=[draining(HOSTS[0])]) is None


@proves(placement.spread)
def test_spread_takes_the_emptiest_zone_and_there_the_emptiest_instance() -> None:
    assert [each.id for each in (chosen(task("i1")), chosen(task("i1"), task("i2"))) if each] == ["i2", "i3"]
    others = [task("i2", group="service:other"), task("i4", group="service:other"), task("i1")]
    assert chosen(*others) == HOSTS[2], "both instances of zone b have the port taken"
    by_host = chosen(task("i1"), strategies=(Strategy("spread", "instanceId"),))
    assert by_host == HOSTS[1]


@proves(placement.binpack)
def test_binpack_takes_the_fullest_that_still_has_room() -> None:
    small = TaskDefinition("small", 256, 256)
    full = TaskDefinition("full", 2000, 1800)
    tasks = (task("i2", small, "a"), task("i3", full, "b"))
    assert chosen(*tasks, strategies=(Strategy("binpack", "cpu"),)) == HOSTS[1]
    assert chosen(*tasks, strategies=(Strategy("binpack", "memory"),)) == HOSTS[1]


def test_random_takes_any_that_fits() -> None:
    strategy = (Strategy("random"),)
    found = [choose(APP, (), strategy, room(task("i1")), Random(seed)) for seed in range(50)]
    assert {each.id for each in found if each} == {"i2", "i3", "i4"}


@proves(placement.closest)
def test_the_closest_match_lacks_the_least() -> None:
    hosts = [replace(HOSTS[0], cpu=1), HOSTS[1]]
    assert closest(APP, (), room(task("i2"), hosts=hosts)) == ("i2", "is already using a port required by your task")
    assert closest(APP, (), room(hosts=[])) == ("", "")


HOST = ContainerInstance(
    "i1", "i-abc", "us-east-1a", 1, 1, {"ecs.instance-type": "g2.2xlarge", "gpu": None}, agent_version="1.50.3"
)


@proves(query.parse, query.compare, query.values)
@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("attribute:ecs.instance-type == g2.2xlarge", True),
        ("attribute:ecs.instance-type != g2.2xlarge", False),
        ("attribute:ecs.instance-type =~ g2.*", True),
        ("attribute:ecs.instance-type =~ g2", False),
        ("attribute:ecs.instance-type !~ t2.*", True),
        ("attribute:ecs.instance-type matches g2.* and attribute:ecs.availability-zone != us-east-1d", True),
        ("attribute:ecs.availability-zone in [us-east-1a, us-east-1b]", True),
        ("attribute:ecs.availability-zone !in ['us-east-1a']", False),
        ("attribute:ecs.availability-zone not_in [us-east-1c]", True),
        ("ec2InstanceId in ['i-abc', 'i-def']", True),
        ("attribute:gpu exists", True),
        ("attribute:gpu !exists", False),
        ("attribute:disk exists || attribute:gpu exists", True),
        ("attribute:disk == ssd", False),
        ("attribute:disk != ssd", True),
        ("not(task:group == service:app)", False),
        ("task:group == service:app && runningTasksCount == 1", True),
        ("!(runningTasksCount > 1) and agentConnected == true", True),
        ("agentVersion >= 1.9.0 and agentVersion < 1.50.10", True),
        ("runningTasksCount greater_than_equal 2", False),
    ],
)
def test_the_query_language_selects_instances(expression: str, matches: bool) -> None:
    assert parse(expression)(HOST, [task("i1")]) is matches


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "ends where it needs a subject"),
        ("colour == red", "subject 'colour'"),
        ("attribute:a is b", "operator 'is'"),
        ("attribute:a ==", "needs an argument"),
        ("(attribute:a exists", "lacks a '\\)'"),
        ("attribute:a in b", "no list in brackets"),
        ("attribute:a exists attribute:b exists", "goes on after its end"),
        ("attribute:a == 'b", "cannot be read from"),
    ],
)
def test_an_expression_that_is_wrong_names_the_place(expression: str, complaint: str) -> None:
    with pytest.raises(InvalidExpression, match=complaint):
        parse(expression)


@proves(daemons.eligible)
def test_a_daemon_runs_where_constraints_allow_whatever_room_there_is() -> None:
    zone = (PlacementConstraint("memberOf", "attribute:ecs.availability-zone == a"),)
    hosts = [*HOSTS[:2], draining(HOSTS[2])]
    assert [each.id for each in daemons.eligible(APP, zone, room(task("i1", group="x"), hosts=hosts))] == ["i1"]


@proves(daemons.starts)
def test_a_daemon_starts_where_it_has_no_task() -> None:
    assert [each.id for each in daemons.starts(HOSTS, [task("i1"), task("i3")])] == ["i2", "i4"]


@proves(daemons.stops)
def test_a_daemon_stops_old_tasks_and_those_whose_instance_no_longer_matches() -> None:
    tasks = [task("i1"), replace(task("i2"), deployment="ecs-svc/2"), replace(task("i3"), deployment="ecs-svc/2")]
    healthy = frozenset(each.id for each in tasks)
    assert daemons.stops(HOSTS[:2], tasks, "ecs-svc/2", healthy, 0) == [tasks[0], tasks[2]]
    assert daemons.stops(HOSTS[:2], tasks, "ecs-svc/2", healthy, 2) == [tasks[0]]


@proves(daemons.last_on_instance)
def test_a_daemon_is_the_last_to_leave() -> None:
    own, other = task("i1"), task("i1", TaskDefinition("x"), "service:x")
    assert not daemons.last_on_instance(own, room(own, other))
    assert daemons.last_on_instance(own, room(own))
