"""Hooks hold an instance back on its way into service and out of it."""

from __future__ import annotations

import pytest

from sim.cluster.autoscaling import group_requests, lifecycle_hooks, scaling_activities, scaling_group
from sim.cluster.autoscaling.lifecycle_hooks import LAUNCHING, TERMINATING, Hook
from sim.cluster.refused import Refused
from tests.unit.cluster.autoscaling.group_bench import GroupBench
from tests.unit.cluster.proves import proves

DRAIN = Hook("drain", TERMINATING, 3600.0, "CONTINUE")
WARM = Hook("warm", LAUNCHING, 60.0)


@proves(lifecycle_hooks.completed)
def test_an_instance_waits_for_a_launch_hook_and_is_in_service_then() -> None:
    bench = GroupBench(desired=1, hooks=(WARM,)).settle(5)
    assert bench.states == {"Pending:Wait": 1}
    assert [each.hook for each in bench.began] == ["warm"]
    assert bench.group.activities[0].status == "MidLifecycleAction"
    bench.ask(group_requests.action_completed, "i-1", "warm", "CONTINUE", bench.began[0].token)
    bench.step()
    assert bench.states == {"InService": 1}


@proves(lifecycle_hooks.expired, scaling_group.abandons_launch, scaling_activities.abandoned)
def test_a_launch_hook_whose_time_is_up_abandons_the_launch() -> None:
    bench = GroupBench(desired=1, hooks=(WARM,)).settle(2)
    bench.step(60.0)
    first = bench.group.activities[-1]
    assert first.status == "Cancelled"
    assert first.message == (
        "Instance failed to complete user's Lifecycle Action: "
        f"Lifecycle Action with token {bench.began[0].token} was abandoned"
    )
    bench.settle(2)
    bench.step(60.0)
    bench.step()
    assert list(bench.group.instances) == ["i-2"]


def test_a_terminating_instance_waits_until_its_hook_is_completed() -> None:
    bench = GroupBench(desired=1, hooks=(DRAIN,)).settle()
    bench.ask(group_requests.desired_set, 0, bench.now)
    bench.settle()
    assert bench.states == {"Terminating:Wait": 1}
    assert bench.reports["i-1"].state == "running"
    bench.ask(group_requests.action_completed, "i-1", "drain", "CONTINUE")
    bench.step()
    assert bench.states == {"Terminating:Proceed": 1}
    bench.step()
    assert bench.states == {}


@proves(lifecycle_hooks.heartbeat)
def test_a_heartbeat_starts_the_time_out_anew() -> None:
    bench = GroupBench(desired=1, hooks=(DRAIN,)).settle()
    bench.ask(group_requests.desired_set, 0, bench.now)
    bench.step()
    bench.step(3599.0)
    bench.ask(group_requests.heartbeat_recorded, "i-1", "drain", bench.now)
    bench.step(3599.0)
    assert bench.states == {"Terminating:Wait": 1}
    bench.step(1.0)
    assert bench.states == {"Terminating:Proceed": 1}


@proves(lifecycle_hooks.ends_at)
def test_heartbeats_hold_an_instance_for_48_hours_at_most() -> None:
    action = lifecycle_hooks.begun(DRAIN, "token", 0.0)
    while action.deadline < 48 * 3600.0:
        action = lifecycle_hooks.heartbeat(action, action.deadline - 1.0)
    assert lifecycle_hooks.heartbeat(action, 48 * 3600.0 - 1.0).deadline == 48 * 3600.0
    assert lifecycle_hooks.ends_at(WARM, 0.0) == 6000.0


@proves(lifecycle_hooks.outcome)
def test_one_abandon_ends_the_wait_and_continue_needs_all() -> None:
    first, second = (lifecycle_hooks.begun(DRAIN, each, 0.0) for each in ("1", "2"))
    done = lifecycle_hooks.completed(first, "CONTINUE")
    assert lifecycle_hooks.outcome([done, second]) is None
    assert lifecycle_hooks.outcome([done, lifecycle_hooks.completed(second, "CONTINUE")]) == "CONTINUE"
    assert lifecycle_hooks.outcome([lifecycle_hooks.completed(first, "ABANDON"), second]) == "ABANDON"


def test_what_no_hook_waits_for_cannot_be_completed() -> None:
    bench = GroupBench(desired=1).settle()
    with pytest.raises(Refused, match="No active Lifecycle Action found with instance ID i-1"):
        group_requests.action_completed(bench.group, "i-1", "drain", "CONTINUE")
    with pytest.raises(Refused, match="Instance Id not found"):
        group_requests.action_completed(bench.group, "i-9", "drain", "CONTINUE")


def test_a_forced_deletion_waits_for_no_hook() -> None:
    bench = GroupBench(desired=2, hooks=(DRAIN,)).settle()
    bench.ask(group_requests.terminated, "i-1", bench.now, bench.chance, decrement=True)
    bench.ask(group_requests.deleted, bench.now, bench.chance, force=True)
    bench.step()
    assert bench.group.instances == {}
