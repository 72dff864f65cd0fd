"""An instance refresh replaces what a group has, within its percentages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.cluster.autoscaling import group_requests, instance_refresh, refresh_preferences, scaling_activities
from sim.cluster.autoscaling.group_state import LaunchTemplate
from sim.cluster.autoscaling.refresh_preferences import Preferences, preferences
from sim.cluster.refused import Refused
from tests.unit.cluster.autoscaling.group_bench import SETTINGS
from tests.unit.cluster.autoscaling.refresh_bench import NEXT, RefreshBench
from tests.unit.cluster.proves import proves


def bench(desired: int = 4) -> RefreshBench:
    made = RefreshBench(desired)
    made.settle()
    made.step(100.0)
    return made


@pytest.mark.parametrize(
    ("least", "most", "fewest", "largest"),
    [
        (100, 150, 4, 6),
        (50, 150, 2, 6),
        (50, 100, 2, 4),
        (75, None, 3, 4),
        (0, 100, 0, 4),
        (100, 100, 4, 5),
        (100, None, 3, 4),
        (None, None, 3, 4),
    ],
)
@proves(refresh_preferences.fewest, refresh_preferences.most, instance_refresh.quiet, instance_refresh.complete)
def test_a_refresh_keeps_to_its_percentages(least: int | None, most: int | None, fewest: int, largest: int) -> None:
    run = bench().start(MinHealthyPercentage=least, MaxHealthyPercentage=most).finish()
    assert run.status == "Successful"
    assert (run.fewest, run.most) == (fewest, largest)
    assert run.versions == [2, 2, 2, 2]
    assert (run.running.percentage, run.running.to_update) == (100, 0)


def test_three_instances_at_150_percent_are_replaced_one_by_one() -> None:
    run = bench(3).start(MinHealthyPercentage=100, MaxHealthyPercentage=150)
    run.step()
    assert len(run.group.launches) + sum(each.arriving for each in run.group.instances.values()) == 1
    run.finish()
    assert (run.fewest, run.most) == (3, 4)


@proves(instance_refresh.healthy, refresh_preferences.warmup)
def test_a_new_instance_counts_after_its_warm_up() -> None:
    run = bench().start(MinHealthyPercentage=100, MaxHealthyPercentage=125, InstanceWarmup=100)
    run.step()
    run.step()
    run.step(99.0)
    assert run.versions == [1, 1, 1, 1, 2]
    assert run.running.reason.startswith("Waiting for instances to warm up before continuing.")
    run.step(2.0)
    assert run.versions == [1, 1, 1, 2]
    assert run.running.percentage == 0
    run.step()
    assert run.running.percentage == 25
    chosen = Preferences()
    assert refresh_preferences.warmup(chosen, replace(SETTINGS, grace_seconds=9.0)) == 9.0
    assert refresh_preferences.warmup(chosen, replace(SETTINGS, grace_seconds=9.0, warmup_seconds=0.0)) == 0.0


@proves(scaling_activities.refresh_launch, scaling_activities.refresh_end)
def test_its_activities_say_that_it_was_a_refresh() -> None:
    run = bench(1).start().finish()
    assert run.causes[1:] == [
        "an instance was taken out of service in response to an instance refresh.  "
        "instance i-1 was selected for termination.",
        "an instance was launched in response to an instance refresh.",
    ]


@proves(instance_refresh.to_replace)
def test_skip_matching_leaves_what_matches() -> None:
    run = bench()
    run.ask(group_requests.updated, replace(SETTINGS, template=NEXT), run.now)
    run.ask(group_requests.desired_set, 5, run.now)
    run.settle()
    (kept,) = (each.id for each in run.serving if each.template == NEXT)
    run.start(SkipMatching=True).finish()
    assert run.running.total == 4
    assert kept in {each.id for each in run.serving}
    assert run.versions == [2] * 5


@pytest.mark.parametrize(("behaviour", "versions"), [("Refresh", [2, 2, 2, 2]), ("Ignore", [1, 2, 2, 2])])
def test_what_becomes_of_protected_instances(behaviour: str, versions: list[int]) -> None:
    run = bench()
    run.ask(group_requests.protected, ["i-1"], protect=True)
    run.start(ScaleInProtectedInstances=behaviour).finish()
    assert run.status == "Successful"
    assert run.versions == versions


@proves(instance_refresh.replaceable, instance_refresh.stuck_on)
def test_a_refresh_waits_an_hour_for_a_protection_to_be_taken_off_and_fails() -> None:
    run = bench(2)
    run.ask(group_requests.protected, ["i-1"], protect=True)
    run.start().finish(30)
    assert run.versions == [1, 2]
    assert "i-1 is protected" in run.running.reason
    run.finish()
    assert run.status == "Failed"
    again = bench(2)
    again.ask(group_requests.protected, ["i-1"], protect=True)
    again.start().finish(30)
    again.ask(group_requests.protected, ["i-1"], protect=False)
    assert again.finish().status == "Successful"


@proves(instance_refresh.rolled_back)
def test_a_rollback_brings_the_previous_template_back() -> None:
    run = bench().start(MinHealthyPercentage=75)
    while run.versions != [1, 1, 2, 2]:
        run.step(5.0)
    run.refresh, run.group = instance_refresh.rolled_back(run.refresh, run.group, run.now)
    assert run.status == "RollbackInProgress"
    run.finish()
    assert run.status == "RollbackSuccessful"
    assert run.versions == [1, 1, 1, 1]
    assert run.fewest == 3
    assert run.running.percentage == 0
    assert run.group.settings.template == SETTINGS.template


def test_a_refresh_that_fails_rolls_back_by_itself_where_that_was_asked() -> None:
    run = bench(2).start(AutoRollback=True)
    run.refuses_launches = True
    run.finish(60, 70.0)
    assert run.running.rollback is not None
    run.refuses_launches = False
    run.finish()
    assert run.status == "RollbackSuccessful"
    assert run.versions == [1, 1]


@proves(instance_refresh.adopted)
def test_the_group_takes_the_template_over_when_the_refresh_succeeds() -> None:
    run = bench().start()
    run.step()
    assert run.group.settings.template == SETTINGS.template
    run.ask(group_requests.desired_set, 5, run.now)
    run.settle(3)
    assert run.versions.count(2) >= 1
    run.finish()
    assert run.group.settings.template == NEXT


@proves(instance_refresh.in_transition)
def test_a_cancelled_refresh_leaves_what_it_did() -> None:
    run = bench(2).start(MinHealthyPercentage=100, MaxHealthyPercentage=150)
    run.step()
    run.refresh = instance_refresh.cancelled(run.refresh)
    assert run.status == "Cancelling"
    run.settle(8)
    assert run.status == "Cancelled"
    assert len(run.serving) == 2
    with pytest.raises(Refused, match="ActiveInstanceRefreshNotFound"):
        instance_refresh.cancelled(run.refresh)


def test_a_refresh_bakes_as_long_as_it_was_asked_to() -> None:
    run = bench(1).start(BakeTime=600)
    while run.status != "Baking":
        run.step(10.0)
    run.step(599.0)
    assert run.status == "Baking"
    run.step(1.0)
    assert run.status == "Successful"


def test_an_empty_group_is_refreshed_at_once() -> None:
    assert bench(0).start().finish(2).status == "Successful"


@proves(refresh_preferences.wrong_percentages)
@pytest.mark.parametrize(
    "given",
    [
        {"MinHealthyPercentage": 101},
        {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 99},
        {"MaxHealthyPercentage": 150},
        {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 151},
    ],
)
def test_percentages_that_make_no_sense_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(Refused, match="HealthyPercentage"):
        preferences(given)


@pytest.mark.parametrize("name", ["CheckpointPercentages", "CheckpointDelay", "AlarmSpecification"])
def test_what_is_not_modelled_is_refused_by_name(name: str) -> None:
    with pytest.raises(Refused, match=f"{name} of an instance refresh is not supported"):
        preferences({name: [50]})


def test_only_one_refresh_goes_on_and_only_one_with_a_template_can_go_back() -> None:
    run = bench(2).start()
    with pytest.raises(Refused, match="InstanceRefreshInProgress"):
        run.start()
    other = bench(2)
    with pytest.raises(Refused, match="IrreversibleInstanceRefresh"):
        other.start(None, AutoRollback=True)
    other.start(None)
    with pytest.raises(Refused, match="IrreversibleInstanceRefresh"):
        instance_refresh.rolled_back(other.refresh, other.group, other.now)


def test_a_refresh_without_a_template_of_its_own_takes_the_groups() -> None:
    run = bench(2)
    run.ask(group_requests.updated, replace(SETTINGS, template=LaunchTemplate("lt", 7)), run.now)
    assert run.start(None).finish().versions == [7, 7]
