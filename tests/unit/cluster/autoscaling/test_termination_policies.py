"""Which instance scale-in ends."""

from __future__ import annotations

from random import Random

import pytest

from sim.cluster.autoscaling import termination_policies
from sim.cluster.autoscaling.group_state import Group, GroupInstance, LaunchTemplate
from sim.cluster.refused import Refused
from tests.unit.cluster.autoscaling.group_bench import SETTINGS
from tests.unit.cluster.proves import proves


def instance(name: str, zone: str = "a", launched_at: float = 0.0, version: int = 1, **more: bool) -> GroupInstance:
    template = LaunchTemplate("lt", version)
    return GroupInstance(name, zone, template, launched_at, "", state="InService", in_service_at=0.0, **more)  # type: ignore[arg-type] # flags


def chosen(*instances: GroupInstance, policy: str = "Default", now: float = 0.0) -> str:
    settings = type(SETTINGS)("web", 0, 10, ("a", "b"), SETTINGS.template, termination_policies=(policy,))
    group = Group(settings, 1, {each.id: each for each in instances})
    found = termination_policies.choose(group, now, Random(0))
    return found.id if found else ""


@proves(termination_policies.in_fullest_zone)
def test_the_fullest_zone_with_an_unprotected_instance_comes_first() -> None:
    crowd = [instance(f"b{each}", "b", version=9) for each in range(2)]
    assert chosen(instance("old"), *crowd).startswith("b")
    guarded = [instance(f"b{each}", "b", protected=True) for each in range(2)]
    assert chosen(instance("a"), *guarded) == "a"
    assert chosen(*guarded) == ""


@proves(termination_policies.default_policy, termination_policies.oldest_template)
def test_the_default_policy_takes_the_oldest_template() -> None:
    assert chosen(instance("new", version=2), instance("old", version=1, launched_at=9.0)) == "old"


@proves(termination_policies.closest_to_hour)
def test_the_next_billing_hour_decides_between_equals() -> None:
    assert chosen(instance("later", launched_at=100.0), instance("sooner", launched_at=10.0), now=3600.0) == "sooner"


@pytest.mark.parametrize(("policy", "name"), [("OldestInstance", "first"), ("NewestInstance", "last")])
def test_other_policies_go_by_age(policy: str, name: str) -> None:
    assert chosen(instance("first"), instance("last", launched_at=50.0), policy=policy) == name


def test_an_unknown_policy_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="AllocationStrategy is not supported"):
        termination_policies.checked(["AllocationStrategy"])
    assert termination_policies.checked([]) == ("Default",)
