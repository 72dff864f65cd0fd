"""An Auto Scaling group launches, replaces, ends and balances its instances."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from sim.cluster.autoscaling import (
    group_requests,
    group_state,
    group_turn,
    scaling_activities,
    scaling_group,
    termination_policies,
    zones,
)
from sim.cluster.autoscaling.group_state import Process
from sim.cluster.autoscaling.group_turn import LaunchInstance
from sim.cluster.autoscaling.lifecycle_hooks import LAUNCHING, Hook
from sim.cluster.autoscaling.scaling_group import Report
from sim.cluster.balancer.classic import FAILED, IN_SERVICE, REGISTERING
from sim.cluster.refused import Refused
from tests.unit.cluster.autoscaling.group_bench import SETTINGS, START, GroupBench
from tests.unit.cluster.proves import proves


@proves(scaling_activities.created, scaling_activities.grown, zones.emptiest)
def test_a_new_group_launches_its_desired_capacity_evenly() -> None:
    bench = GroupBench(desired=4)
    bench.step()
    assert bench.states == {"Pending": 4}
    assert {each.status for each in bench.group.activities} == {"PreInService"}
    bench.step()
    assert bench.states == {"InService": 4}
    assert bench.zones == {"a": 2, "b": 2}
    assert set(bench.causes) == {
        "a user request created an AutoScalingGroup changing the desired capacity from 0 to 4.  "
        "an instance was started in response to a difference between desired and actual capacity, "
        "increasing the capacity from 0 to 4."
    }
    assert {(each.status, each.progress) for each in bench.group.activities} == {("Successful", 100)}


@proves(group_requests.desired_set, scaling_activities.user_set, scaling_activities.shrunk, scaling_activities.selected)
def test_a_smaller_desired_capacity_ends_an_instance_and_says_why() -> None:
    bench = GroupBench(desired=2).settle()
    bench.ask(group_requests.desired_set, 1, bench.now)
    bench.settle()
    (left,) = bench.serving
    gone = "i-1" if left.id == "i-2" else "i-2"
    assert bench.causes[-1] == (
        "a user request explicitly set group desired capacity changing the desired capacity from 2 to 1.  "
        "an instance was taken out of service in response to a difference between desired and actual capacity, "
        f"shrinking the capacity from 2 to 1.  instance {gone} was selected for termination."
    )


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (11, "New SetDesiredCapacity value 11 is above max value 10 for the AutoScalingGroup."),
        (-1, "New SetDesiredCapacity value -1 is below min value 0 for the AutoScalingGroup."),
    ],
)
def test_a_desired_capacity_outside_of_the_limits_is_refused(count: int, message: str) -> None:
    bench = GroupBench()
    with pytest.raises(Refused) as refused:
        group_requests.desired_set(bench.group, count, bench.now)
    assert (refused.value.code, refused.value.message) == ("ValidationError", message)


@proves(group_requests.bounded, scaling_activities.constrained)
def test_a_new_minimum_moves_the_desired_capacity() -> None:
    bench = GroupBench(desired=1).settle()
    bench.ask(group_requests.updated, replace(SETTINGS, min_size=3), bench.now)
    bench.settle()
    assert len(bench.serving) == 3
    assert bench.causes[-1].startswith(
        "a user request update of AutoScalingGroup constraints to min: 3, max: 10, desired: 3 "
        "changing the desired capacity from 1 to 3."
    )


@proves(group_requests.scaled, scaling_activities.alarmed)
def test_a_policy_stops_at_the_maximum_and_names_its_alarm() -> None:
    bench = GroupBench(desired=1, max_size=2).settle()
    bench.ask(group_requests.scaled, 7, "high", "grow", bench.now)
    bench.settle()
    assert len(bench.serving) == 2
    assert bench.causes[-1].startswith(
        "a monitor alarm high in state ALARM triggered policy grow changing the desired capacity from 1 to 2."
    )


@proves(scaling_group.ended_by_ec2, scaling_group.replaced_while_it_ends, scaling_activities.unhealthy)
@proves(scaling_activities.replacing)
def test_an_instance_that_ec2_ended_is_replaced_in_its_grace_period_too() -> None:
    bench = GroupBench(desired=2, grace_seconds=300.0).settle(3)
    bench.end("i-1", "stopped")
    bench.step()
    assert bench.causes[-2:] == [
        "an instance was taken out of service in response to an EC2 health check "
        "indicating it has been terminated or stopped.",
        "an instance was launched in response to an unhealthy instance needing to be replaced.",
    ]
    bench.settle()
    assert {each.id for each in bench.serving} == {"i-2", "i-3"}


@proves(scaling_group.impaired)
def test_an_instance_that_nobody_reaches_is_impaired_after_two_status_checks() -> None:
    assert not scaling_group.impaired(None, START)
    assert not scaling_group.impaired(START, START + 119)
    assert scaling_group.impaired(START, START + 120)


@proves(scaling_group.in_grace)
def test_failed_checks_count_after_the_grace_period() -> None:
    bench = GroupBench(desired=1, grace_seconds=300.0, health_check_types=frozenset({"EC2", "ELB"})).settle(3)
    bench.reports["i-1"] = Report(balancer_healthy=False)
    bench.step(200.0)
    assert [each.id for each in bench.serving] == ["i-1"]
    bench.step(100.0)
    assert bench.serving == []
    assert "an ELB system health check failure" in bench.causes[-2]


@proves(scaling_group.healthy_at)
def test_one_load_balancer_that_has_an_instance_unhealthy_is_enough() -> None:
    assert scaling_group.healthy_at([])
    assert scaling_group.healthy_at([IN_SERVICE, REGISTERING])
    assert not scaling_group.healthy_at([IN_SERVICE, FAILED])


def test_the_load_balancer_is_asked_only_where_the_group_says_so() -> None:
    bench = GroupBench(desired=1).settle(3)
    bench.reports["i-1"] = Report(balancer_healthy=False)
    assert bench.step() == []
    bench.reports["i-1"] = Report(impaired=True)
    bench.step()
    assert "an EC2 instance status checks failure" in bench.causes[-2]


@proves(group_requests.health_set)
def test_a_user_may_call_an_instance_unhealthy() -> None:
    bench = GroupBench(desired=1, grace_seconds=300.0).settle(3)
    bench.ask(group_requests.health_set, "i-1", bench.now, healthy=False)
    assert bench.step() == []
    bench.ask(group_requests.health_set, "i-1", bench.now, healthy=False, respect_grace=False)
    bench.step()
    assert "a user health-check" in bench.causes[-2]


@proves(scaling_group.may_replace)
def test_unhealthy_instances_that_run_are_replaced_one_by_one() -> None:
    bench = GroupBench(desired=4).settle()
    for each in bench.serving:
        bench.reports[each.id] = Report(impaired=True)
    bench.step()
    assert sum(each.leaving for each in bench.group.instances.values()) == 1
    bench.settle(20)
    assert len(bench.serving) == 4
    assert {each.id for each in bench.serving}.isdisjoint({"i-1", "i-2", "i-3", "i-4"})


@proves(scaling_group.replaced_while_it_ends)
def test_an_instance_that_ec2_ended_is_not_replaced_where_fewer_are_desired() -> None:
    bench = GroupBench(desired=2).settle()
    bench.ask(group_requests.desired_set, 1, bench.now)
    bench.end("i-1")
    assert not any(isinstance(each, LaunchInstance) for each in bench.step())
    assert len(bench.settle().serving) == 1


@proves(termination_policies.may_end, scaling_group.nothing_may_end, scaling_activities.all_protected)
def test_scale_in_ends_no_protected_instance_and_says_so_once() -> None:
    bench = GroupBench(desired=2, protect_new=True).settle()
    bench.ask(group_requests.desired_set, 1, bench.now)
    bench.settle()
    assert len(bench.serving) == 2
    assert bench.group.desired == 1
    text = "Could not scale to desired capacity because all remaining instances are protected from scale-in."
    assert [each.description for each in bench.group.activities].count(text) == 1


@proves(group_requests.protected)
def test_an_instance_whose_protection_is_off_is_the_one_that_ends() -> None:
    bench = GroupBench(desired=2, protect_new=True).settle()
    bench.ask(group_requests.desired_set, 1, bench.now)
    bench.ask(group_requests.protected, ["i-1"], protect=False)
    bench.settle()
    assert [each.id for each in bench.serving] == ["i-2"]


@proves(group_requests.terminated, scaling_activities.user_terminated)
def test_a_user_ends_a_protected_instance_with_or_without_a_replacement() -> None:
    bench = GroupBench(desired=3, min_size=2, protect_new=True).settle()
    bench.ask(group_requests.terminated, "i-1", bench.now, bench.chance, decrement=True)
    assert bench.causes[-1] == (
        "instance i-1 was taken out of service in response to a user request, shrinking the capacity from 3 to 2."
    )
    bench.settle()
    assert len(bench.serving) == 2
    bench.ask(group_requests.terminated, "i-2", bench.now, bench.chance, decrement=False)
    assert bench.causes[-1] == "instance i-2 was taken out of service in response to a user request."
    bench.settle()
    assert len(bench.serving) == 2
    with pytest.raises(Refused, match="desired capacity equals to min size"):
        group_requests.terminated(bench.group, "i-3", bench.now, bench.chance, decrement=True)


@proves(zones.imbalance, scaling_group.settled, zones.largest)
@proves(scaling_activities.balancing_launch, scaling_activities.balancing_end)
def test_zones_are_balanced_by_a_launch_before_an_end() -> None:
    bench = GroupBench(desired=4, max_size=4, suspended=frozenset({"AZRebalance"}), zones=("a",)).settle()
    bench.ask(group_requests.updated, replace(SETTINGS, max_size=4), bench.now)
    fewest = 4
    for _ in range(20):
        bench.step()
        fewest = min(fewest, len(bench.serving))
    assert (fewest, bench.zones) == (4, {"a": 2, "b": 2})
    assert bench.causes[4] == (
        "availability zones a had 4 instances respectively. "
        "An instance was launched to aid in balancing the group's zones."
    )
    assert bench.causes[5].startswith(
        "instances were launched to balance instances in zones b with other zones resulting in more than desired "
        "number of instances in the group.  an instance was taken out of service in response to a difference between "
        "desired and actual capacity, shrinking the capacity from 5 to 4."
    )


@proves(scaling_group.settled)
def test_zones_are_balanced_by_one_instance_at_a_time() -> None:
    bench = GroupBench(desired=4, zones=("a",)).settle()
    warm = Hook("warm", LAUNCHING, 25.0, "CONTINUE")
    bench.ask(group_requests.updated, replace(SETTINGS, hooks=(warm,)), bench.now)
    bench.settle(20)
    assert bench.states == {"InService": 4, "Pending:Wait": 1}


@proves(zones.can_balance)
def test_protected_instances_are_not_balanced() -> None:
    bench = GroupBench(desired=4, protect_new=True, zones=("a",)).settle()
    bench.ask(group_requests.updated, SETTINGS, bench.now)
    bench.settle()
    assert bench.zones == {"a": 4}


def test_a_zone_that_is_the_groups_no_longer_is_left() -> None:
    bench = GroupBench(desired=2).settle()
    bench.ask(group_requests.updated, replace(SETTINGS, zones=("b", "c")), bench.now)
    bench.settle(20)
    assert bench.zones == {"b": 1, "c": 1}


@proves(group_turn.backed_off)
def test_a_failed_launch_is_tried_again_after_a_minute_then_two() -> None:
    bench = GroupBench(desired=1)
    bench.refuses_launches = True
    bench.step()
    assert bench.group.activities[0].status == "Failed"
    assert bench.group.activities[0].description == "Launching a new EC2 instance.  Status Reason: no capacity"
    assert bench.step(59.0) == []
    assert len(bench.step(1.0)) == 1
    assert bench.step(119.0) == []
    bench.refuses_launches = False
    bench.step(1.0)
    bench.settle(2)
    assert len(bench.serving) == 1
    assert bench.group.failures == 0


@proves(scaling_activities.unhealthy_before_service)
def test_an_instance_that_ends_before_it_serves_is_replaced() -> None:
    bench = GroupBench(desired=1)
    bench.step()
    bench.end("i-1")
    bench.step()
    assert bench.group.activities[-1].status == "Cancelled"
    assert bench.group.activities[-1].message.startswith("Instance became unhealthy while waiting")
    bench.settle()
    bench.step(60.0)
    bench.settle(3)
    assert [each.id for each in bench.serving] == ["i-2"]


@proves(group_requests.deleted)
def test_a_group_with_instances_is_deleted_by_force_alone() -> None:
    bench = GroupBench(desired=2).settle()
    with pytest.raises(Refused, match="You cannot delete an AutoScalingGroup while there are instances"):
        group_requests.deleted(bench.group, bench.now, bench.chance, force=False)
    bench.ask(group_requests.deleted, bench.now, bench.chance, force=True)
    bench.settle(2)
    assert bench.group.instances == {}


@pytest.mark.parametrize("process", ["Launch", "HealthCheck", "ReplaceUnhealthy", "Terminate"])
def test_a_suspended_process_does_nothing(process: Process) -> None:
    bench = GroupBench(desired=2).settle()
    bench.group = replace(bench.group, settings=replace(bench.group.settings, suspended=frozenset({process})))
    bench.end("i-1")
    bench.settle()
    assert Counter(each.id for each in bench.serving if each.id not in {"i-1", "i-2"}) == {}


@proves(group_state.warming)
def test_an_instance_warms_up_from_when_it_is_in_service() -> None:
    bench = GroupBench(desired=1).settle(2)
    (instance,) = bench.serving
    assert instance.in_service_at == bench.now
    assert group_state.warming(instance, 60.0, bench.now + 59.0)
    assert not group_state.warming(instance, 60.0, bench.now + 60.0)
    assert group_state.warming(replace(instance, in_service_at=None), 60.0, bench.now)


@proves(scaling_activities.forgotten)
def test_activities_are_kept_for_six_weeks() -> None:
    bench = GroupBench(desired=1).settle()
    (activity,) = bench.group.activities
    assert activity.cause.startswith("At 2023-11-14T22:13:20Z a user request")
    assert not scaling_activities.forgotten(activity, START + 6 * 7 * 86400.0)
    assert scaling_activities.forgotten(activity, START + 6 * 7 * 86400.0 + 60.0)


def test_a_group_without_a_zone_or_with_crossed_limits_is_refused() -> None:
    for settings in (replace(SETTINGS, zones=()), replace(SETTINGS, min_size=3, max_size=2)):
        with pytest.raises(Refused):
            group_requests.created(settings, START)
