"""What the page shows of Application Load Balancers and their target groups."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sim.watch import groups
from sim.watch.draw import draw
from sim.watch.observed import Described, Observation, SeenApplication, SeenGroup
from sim.watch.picture import Health, Picture
from tests.unit.watch.seen import ALB, AT, GROUP, board, instance, targets

FORBIDDEN = "port 80, host internal.*, method GET or HEAD: answers 403"
FIRST, SECOND = (instance(number)["ec2InstanceId"] for number in (0, 1))


def picture(*observations: Observation) -> Picture:
    """The last picture of observations one after the other."""
    drawn = None
    for each in observations:
        drawn = draw(each, drawn)
    assert drawn is not None
    return drawn.picture


def balancer(*rules: Described) -> SeenApplication:
    """The ALB `front` with these rules at port 443."""
    return SeenApplication({"LoadBalancerName": "front"}, {443: rules})


def test_the_way_of_a_request_is_load_balancer_target_group_service() -> None:
    seen = picture(board())
    assert seen.cluster == "board"
    [entry] = seen.entries.values()
    assert (entry.name, entry.kind, entry.in_service, entry.registered) == (
        "board",
        "Application Load Balancer",
        3,
        3,
    )
    assert entry.urls == {"80": "http://127.0.0.1:4701"}
    assert entry.own == ("port 80, path /old/*: redirects, 301", FORBIDDEN)
    assert seen.groups["board-web"].led_to == ("board port 80",)
    assert seen.services["web"].behind == ("board-web",)


def test_requests_are_counted_of_the_load_balancer_and_of_its_group() -> None:
    seen = picture(
        board(answered={ALB: {"200": 0, "301": 0}, GROUP: {"200": 0}}),
        board(AT + 1, answered={ALB: {"200": 8, "301": 4, "0": 2}, GROUP: {"200": 8}}),
    )
    rates = seen.entries["app/board"].rates
    assert (rates["2xx"], rates["3xx"], rates["none"]) == (4, 2, 1)
    assert {name: rate for name, rate in seen.groups["board-web"].rates.items() if rate} == {"2xx": 4}


def test_targets_are_counted_by_state_and_those_that_drain_are_not_missed() -> None:
    group = picture(board(states=("healthy", "unhealthy", "draining"))).groups["board-web"]
    assert (group.healthy, group.registered) == (1, 2)
    assert group.states == {"draining": 1, "healthy": 1, "unhealthy": 1}


@pytest.mark.parametrize(
    ("state", "health"),
    [
        ("healthy", Health.GOOD),
        ("unused", Health.GOOD),
        ("initial", Health.STARTING),
        ("draining", Health.STOPPING),
        ("unhealthy", Health.BAD),
    ],
)
def test_a_task_without_a_check_of_its_own_is_as_healthy_as_its_target(state: str, health: Health) -> None:
    seen = picture(board(states=(state, "healthy", "healthy")))
    assert sorted(each.health for each in seen.tasks.values()) == sorted([health, Health.GOOD, Health.GOOD])


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (f"registered 1 targets in (target-group {GROUP})", "registered 1 targets in board-web"),
        ("deregistered 2 instances in (elb shop-web)", "deregistered 2 instances in shop-web"),
        ("(deployment ecs-svc/7603389120592350841) deployment completed.", "deployment completed."),
    ],
)
def test_an_event_has_names_and_no_arns(message: str, words: str) -> None:
    seen = board()
    assert seen.cluster is not None
    said = {"id": "1", "createdAt": datetime.fromtimestamp(AT, UTC), "message": f"(service web) {message}"}
    web = {**seen.cluster.services["web"], "events": [said]}
    drawn = picture(replace(seen, cluster=replace(seen.cluster, services={"web": web})))
    assert [each.text for each in drawn.moments.values()] == [f"web {words}"]


def test_a_task_has_the_state_of_its_port_and_its_containers() -> None:
    tasks = picture(board(states=("healthy", "unhealthy", "initial"))).tasks
    found = {
        (each.instance, name): registered.state for each in tasks.values() for name, registered in each.targets.items()
    }
    assert found == {
        (FIRST, "board-web:32768"): "healthy",
        (SECOND, "board-web:32768"): "unhealthy",
        (FIRST, "board-web:32769"): "initial",
    }
    assert all(each.containers == {"web": "RUNNING", "clock": "RUNNING"} for each in tasks.values())
    assert {each.version for each in tasks.values()} == {"board-web:1"}, "the tag `latest` is no version"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"Field": "path-pattern", "Values": ["/a", "/b"]}, "path /a or /b"),
        ({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["1"]}}, "X-A 1"),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}, {"Value": "x"}]}},
            "query-string v=2 or x",
        ),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}, "source-ip 10.0.0.0/8"),
    ],
)
def test_a_condition_is_named(condition: Described, words: str) -> None:
    forward = {"Type": "forward", "TargetGroupArn": GROUP}
    front = balancer({"Priority": "1", "Conditions": [condition], "Actions": [forward]})
    group = SeenGroup({"TargetGroupArn": GROUP}, ())
    assert groups.led_to(group, [front]) == (f"front port 443, {words}",)


def test_a_weighted_forward_has_shares_and_follows_a_login() -> None:
    other = GROUP.replace("board-web", "board-new")
    weights = [{"TargetGroupArn": GROUP, "Weight": 3}, {"TargetGroupArn": other, "Weight": 1}]
    actions = [
        {"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": weights}},
        {"Type": "authenticate-oidc", "Order": 1},
    ]
    front = balancer({"Priority": "default", "Conditions": [], "Actions": actions})
    found = [groups.led_to(SeenGroup({"TargetGroupArn": arn}, ()), [front]) for arn in (GROUP, other)]
    assert found == [("front port 443, 75%",), ("front port 443, 25%",)]
    seen = [SeenGroup({"TargetGroupArn": arn}, targets("healthy")) for arn in (GROUP, other, f"{GROUP}0")]
    assert groups.targets_of(front, seen) == [True, True], "of the two that it forwards to"


def test_a_group_that_no_listener_uses_is_there_with_its_targets() -> None:
    seen = board()
    assert seen.cluster is not None
    alone = SeenGroup({"TargetGroupName": "idle", "TargetGroupArn": f"{GROUP}0"}, targets("unused"))
    drawn = picture(replace(seen, cluster=replace(seen.cluster, groups=[*seen.cluster.groups, alone])))
    assert (drawn.groups["idle"].led_to, drawn.groups["idle"].states) == ((), {"unused": 1})
    assert drawn.entries["app/board"].registered == 3
