"""The scaling policies of an Auto Scaling group."""

from __future__ import annotations

from typing import Any

import pytest

from sim.cluster.autoscaling import group_metrics, group_policies, group_requests, scaling_activities
from sim.cluster.autoscaling.group_policies import GroupPolicy, PolicyCall
from sim.cluster.autoscaling.lifecycle_hooks import TERMINATING, Hook
from sim.cluster.autoscaling.scaling_policies import Reading, StepAdjustment, StepScaling
from sim.cluster.refused import Refused
from tests.unit.cluster.autoscaling.group_bench import GroupBench
from tests.unit.cluster.autoscaling.test_scaling_policies import TRACKING, high, low
from tests.unit.cluster.proves import proves

STEPS = StepScaling("steps", (StepAdjustment(1, 0.0, 10.0), StepAdjustment(2, 10.0)))
TRACKS = GroupPolicy(TRACKING, warmup_seconds=100.0)
STEPPED = GroupPolicy(STEPS, warmup_seconds=100.0)
SIMPLE = GroupPolicy(StepScaling("one", (StepAdjustment(1),)), simple=True)


class Policies(GroupBench):
    """A group of two whose instances serve for longer than the default cool-down, and its policies."""

    def __init__(self, *policies: GroupPolicy, **settings: Any) -> None:
        super().__init__(**settings)
        self.policies = policies
        self.settle().step(1000.0)

    def call(self, **readings: Reading) -> int:
        """Alarms call policies; the desired capacity after that, with the instances for it."""
        calls = {name: PolicyCall(each, f"{name}-alarm") for name, each in readings.items()}
        self.ask(group_policies.step, self.policies, calls, self.now)
        self.settle(3)
        return self.group.desired


def test_tracking_scales_a_group_out_and_in_and_names_its_alarm() -> None:
    group = Policies(TRACKS)
    assert group.call(backlog=high(250.0)) == 5
    assert len(group.serving) == 5
    assert group.causes[-1].startswith(
        "a monitor alarm backlog-alarm in state ALARM triggered policy backlog "
        "changing the desired capacity from 2 to 5."
    )
    group.step(200.0)
    assert group.call(backlog=low(41.0)) == 3
    assert len(group.serving) == 3


@proves(group_policies.current)
def test_while_instances_warm_up_only_a_larger_step_launches_more() -> None:
    group = Policies(STEPPED)
    assert group.call(steps=high(55.0, 50.0)) == 3
    assert group.call(steps=high(55.0, 50.0)) == 3, "the same breach again"
    assert group.call(steps=high(65.0, 50.0)) == 4, "two more than the two that are through their warm-up"
    group.step(100.0)
    assert group.call(steps=high(55.0, 50.0)) == 5


@proves(group_policies.growing)
def test_no_policy_scales_in_while_instances_warm_up() -> None:
    group = Policies(TRACKS)
    assert group.call(backlog=high(150.0)) == 3
    assert group.call(backlog=low(10.0)) == 3
    group.step(100.0)
    assert group.call(backlog=low(10.0)) == 1


@proves(group_policies.may_act)
def test_simple_scaling_waits_for_its_cool_down() -> None:
    group = Policies(SIMPLE, cooldown_seconds=200.0)
    assert group.call(one=Reading(high=True)) == 3, "it needs no value of the metric"
    group.step(150.0)
    assert group.call(one=Reading(high=True)) == 3
    group.step(60.0)
    assert group.call(one=Reading(high=True)) == 4


@proves(group_requests.cooled_down)
def test_a_cool_down_of_a_policy_overrides_the_default_one() -> None:
    own = GroupPolicy(SIMPLE.rule, simple=True, cooldown_seconds=20.0)
    group = Policies(own)
    assert group.call(one=Reading(high=True)) == 3
    with pytest.raises(Refused, match="ScalingActivityInProgress"):
        group_requests.desired_set(group.group, 5, group.now, honor_cooldown=True)
    group.step(30.0)
    assert group.call(one=Reading(high=True)) == 4


@proves(group_policies.warmup_of)
@pytest.mark.parametrize(
    ("own", "default", "seconds"), [(100.0, 500.0, 100), (None, 500.0, 500), (None, None, 300), (100.0, None, 100)]
)
def test_the_warm_up_is_the_policys_the_groups_or_the_default_cool_down(
    own: float | None, default: float | None, seconds: float
) -> None:
    group = Policies(GroupPolicy(STEPS, warmup_seconds=own), warmup_seconds=default)
    assert group.call(steps=high(55.0, 50.0)) == 3
    group.step(seconds - 10)
    assert group.call(steps=high(55.0, 50.0)) == 3
    group.step(10.0)
    assert group.call(steps=high(55.0, 50.0)) == 4


@proves(group_policies.listens)
def test_a_disabled_policy_and_one_of_a_suspended_group_do_nothing() -> None:
    assert Policies(GroupPolicy(STEPS, enabled=False)).call(steps=high(55.0, 50.0)) == 2
    assert Policies(STEPPED, suspended=frozenset({"AlarmNotification"})).call(steps=high(55.0, 50.0)) == 2


@proves(group_policies.largest)
def test_the_largest_of_several_policies_wins_within_the_limits() -> None:
    group = Policies(STEPPED, TRACKS, SIMPLE, max_size=6)
    assert group.call(steps=high(55.0, 50.0), one=Reading(high=True), backlog=high(900.0)) == 6
    assert "triggered policy backlog" in group.causes[-1]


@proves(group_policies.cannot_execute, scaling_activities.executed)
def test_a_user_executes_a_policy() -> None:
    group = Policies()
    group.ask(group_policies.execute, STEPPED, high(65.0, 50.0), group.now)
    group.settle(3)
    assert group.group.desired == 4
    cause = "a user request executed policy steps changing the desired capacity from 2 to 4."
    assert group.causes[-1].startswith(cause)
    with pytest.raises(Refused, match="within no step adjustment"):
        group_policies.execute(group.group, STEPPED, high(40.0, 50.0), group.now)
    with pytest.raises(Refused, match="Its alarms alone call it"):
        group_policies.execute(group.group, TRACKS, high(200.0), group.now)
    with pytest.raises(Refused, match="ScalingActivityInProgress"):
        group_policies.execute(group.group, SIMPLE, high(0.0), group.now, honor_cooldown=True)
    group.ask(group_policies.execute, SIMPLE, high(0.0), group.now)
    assert group.group.desired == 5


@proves(group_metrics.metrics)
def test_a_group_counts_its_instances_by_their_states() -> None:
    group = Policies(hooks=(Hook("drain", TERMINATING, 600.0, "CONTINUE"),), max_size=5)
    group.ask(group_requests.desired_set, 1, group.now)
    group.settle(3)
    assert group_metrics.metrics(group.group) == {
        "GroupMinSize": 0,
        "GroupMaxSize": 5,
        "GroupDesiredCapacity": 1,
        "GroupInServiceInstances": 1,
        "GroupPendingInstances": 0,
        "GroupStandbyInstances": 0,
        "GroupTerminatingInstances": 1,
        "GroupTotalInstances": 2,
    }
