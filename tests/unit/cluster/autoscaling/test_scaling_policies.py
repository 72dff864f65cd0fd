"""Target tracking and step scaling of a service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.cluster.autoscaling import scaling_policies
from sim.cluster.autoscaling.scaling_policies import (
    Reading,
    ScalableTarget,
    Scaled,
    StepAdjustment,
    StepScaling,
    TargetTracking,
    checked,
    step,
    tracking_alarms,
)
from sim.cluster.cloudwatch.alarms import step as evaluate
from sim.cluster.cloudwatch.metric_math import Metric, Query, declared
from sim.cluster.refused import Refused
from tests.unit.cluster.proves import proves

VISIBLE = Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", "q"),), "Average")
RUNNING = Metric("AWS/ECS", "CPUUtilization", (("ServiceName", "worker"),), "SampleCount")
BACKLOG = declared(
    [
        Query("visible", VISIBLE, returns=False),
        Query("running", RUNNING, returns=False),
        Query("backlog", None, "visible / IF(FILL(running, 0) > 0, running, 1)"),
    ]
)
TRACKING = TargetTracking("backlog", BACKLOG, 100.0, out_cooldown=60.0, in_cooldown=300.0)
WAKE = StepScaling("wake", (StepAdjustment(1, lower=0.0),), cooldown=120.0)
TARGET = ScalableTarget(1, 10, 2, (TRACKING,))


def high(value: float, threshold: float = 0.0) -> Reading:
    return Reading(high=True, value=value, threshold=threshold)


def low(value: float) -> Reading:
    return Reading(low=True, value=value)


@proves(scaling_policies.tracked)
def test_tracking_goes_to_the_quotient_rounded_up() -> None:
    target, scaled = step(TARGET, {"backlog": high(250.0)}, 0.0)
    assert (target.capacity, scaled) == (5, [Scaled("backlog", 2, 5)])
    target, scaled = step(target, {"backlog": low(41.0)}, 1000.0)
    assert scaled == [Scaled("backlog", 5, 3)]


@proves(scaling_policies.bounded)
def test_no_policy_goes_beyond_the_limits() -> None:
    assert step(TARGET, {"backlog": high(9000.0)}, 0.0)[0].capacity == 10
    assert step(TARGET, {"backlog": low(0.0)}, 0.0)[0].capacity == 1


def test_without_data_or_alarm_nothing_happens() -> None:
    for reading in (Reading(), Reading(high=True), Reading(value=900.0)):
        assert step(TARGET, {"backlog": reading}, 0.0) == (TARGET, [])
    assert step(TARGET, {}, 0.0) == (TARGET, [])


def test_tracking_never_leaves_zero_and_a_step_takes_the_first_task() -> None:
    asleep = ScalableTarget(0, 10, 0, (TRACKING, WAKE))
    assert step(asleep, {"backlog": high(500.0)}, 0.0)[1] == []
    assert step(asleep, {"backlog": high(500.0), "wake": high(500.0, 1.0)}, 0.0)[1] == [Scaled("wake", 0, 1)]


@proves(scaling_policies.counted_from)
def test_a_cool_down_lets_a_larger_step_through() -> None:
    target, _ = step(TARGET, {"backlog": high(200.0)}, 0.0)
    assert target.capacity == 4
    assert step(target, {"backlog": high(200.0)}, 30.0)[1] == []
    bigger, scaled = step(target, {"backlog": high(300.0)}, 30.0)
    assert scaled == [Scaled("backlog", 4, 6)]
    assert step(bigger, {"backlog": high(150.0)}, 95.0)[1] == [Scaled("backlog", 6, 9)]


@proves(scaling_policies.may_scale_in)
def test_a_scale_in_waits_for_its_cool_down_and_for_a_deployment() -> None:
    many = replace(TARGET, capacity=8)
    assert step(many, {"backlog": low(50.0)}, 0.0, deploying=True)[1] == []
    fewer, scaled = step(many, {"backlog": low(50.0)}, 0.0)
    assert scaled == [Scaled("backlog", 8, 4)]
    assert step(fewer, {"backlog": low(50.0)}, 299.0)[1] == []
    assert step(fewer, {"backlog": low(50.0)}, 300.0)[1] == [Scaled("backlog", 4, 2)]
    out, _ = step(fewer, {"backlog": high(200.0)}, 10.0)
    assert out.capacity == 8


@proves(scaling_policies.agreed)
def test_all_tracking_policies_must_want_to_scale_in() -> None:
    other = replace(TRACKING, name="cpu")
    both = replace(TARGET, capacity=8, policies=(TRACKING, other))
    assert step(both, {"backlog": low(50.0), "cpu": Reading(value=50.0)}, 0.0)[1] == []
    assert step(both, {"backlog": low(50.0), "cpu": low(75.0)}, 0.0)[1] == [Scaled("cpu", 8, 6)]
    only_out = replace(both, policies=(TRACKING, replace(other, scales_in=False)))
    assert step(only_out, {"backlog": low(50.0)}, 0.0)[1] == [Scaled("backlog", 8, 4)]
    assert step(both, {"backlog": high(150.0), "cpu": high(110.0)}, 0.0)[0].capacity == 10


@proves(scaling_policies.fitting)
@pytest.mark.parametrize(
    ("value", "below", "adjustment"),
    [(50.0, False, 1), (59.9, False, 1), (60.0, False, 2), (40.0, True, -2), (40.1, True, -1), (50.0, True, -1)],
)
def test_a_step_covers_one_of_its_bounds(value: float, below: bool, adjustment: int) -> None:
    up = (StepAdjustment(1, 0.0, 10.0), StepAdjustment(2, 10.0))
    down = (StepAdjustment(-1, -10.0, 0.0), StepAdjustment(-2, None, -10.0))
    found = scaling_policies.fitting(down if below else up, Reading(True, False, value, 50.0, below))
    assert found is not None
    assert found.adjustment == adjustment
    assert scaling_policies.fitting(up, Reading(True, False, 49.0, 50.0)) is None


@proves(scaling_policies.adjusted)
def test_the_kinds_of_adjustment() -> None:
    def to(kind: scaling_policies.Adjustment, adjustment: int, capacity: int, magnitude: int = 1) -> int:
        return scaling_policies.adjusted(StepScaling("s", (), kind, magnitude=magnitude), adjustment, capacity)

    assert to("ChangeInCapacity", -2, 5) == 3
    assert to("ExactCapacity", 7, 5) == 7
    assert to("PercentChangeInCapacity", 25, 10) == 12
    assert to("PercentChangeInCapacity", 25, 2) == 3
    assert to("PercentChangeInCapacity", -25, 10) == 8
    assert to("PercentChangeInCapacity", -1, 10) == 9
    assert to("PercentChangeInCapacity", 25, 4, magnitude=2) == 6


def test_a_step_policy_scales_in_too() -> None:
    shrink = StepScaling("shrink", (StepAdjustment(-2, upper=0.0),), cooldown=60.0)
    target = replace(TARGET, capacity=5, policies=(shrink,))
    reading = {"shrink": Reading(high=True, value=1.0, threshold=5.0, below=True)}
    target, scaled = step(target, reading, 0.0)
    assert scaled == [Scaled("shrink", 5, 3)]
    assert step(target, reading, 59.0)[1] == []


@proves(scaling_policies.wrong_steps)
@pytest.mark.parametrize(
    "steps",
    [
        (),
        (StepAdjustment(1, 0.0, 10.0), StepAdjustment(2, 20.0)),
        (StepAdjustment(1, 0.0, 10.0), StepAdjustment(2, 5.0)),
        (StepAdjustment(1), StepAdjustment(2, 5.0)),
    ],
)
def test_steps_that_do_not_fit_are_refused(steps: tuple[StepAdjustment, ...]) -> None:
    with pytest.raises(Refused, match="ValidationException"):
        checked(StepScaling("s", steps))
    assert checked(WAKE) == WAKE


@proves(scaling_policies.tracking_alarms)
def test_a_policy_makes_an_alarm_of_3_and_one_of_15_minutes() -> None:
    above, below = tracking_alarms(TRACKING, "service/main/worker")
    assert above.name == "TargetTracking-service/main/worker-AlarmHigh-backlog"
    assert (above.threshold, below.threshold) == (100.0, 90.0)
    busy = {"visible": dict.fromkeys(range(0, 1800, 60), 300.0), "running": dict.fromkeys(range(0, 1800, 60), 2.0)}
    assert evaluate(above, busy, 1800.0)[0].state == "ALARM"
    assert evaluate(below, busy, 1800.0)[0].state == "OK"
    idle = {"visible": dict.fromkeys(range(840, 1800, 60), 100.0), "running": dict.fromkeys(range(0, 1800, 60), 2.0)}
    assert evaluate(below, idle, 1800.0)[0].state == "ALARM"
    started = {"visible": {1680: 300.0, 1740: 300.0, **dict.fromkeys(range(1500, 1680, 60), 10.0)}}
    assert evaluate(above, started, 1800.0)[0].state == "OK"
