"""Capacity providers and their Auto Scaling groups: tasks wait for instances, and leave those that end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.cloud.aws_client import REGION
from tests.cloud.agents import CLUSTER, Fleet
from tests.cloud.scaled import USER_DATA, Scaled
from tests.cloud.shared import Client

_HOOK = "ecs-managed-draining-termination-hook"


def test_an_instance_that_ends_is_replaced_by_one_that_takes_its_tasks(fleet: Fleet, scaled: Scaled) -> None:
    scaled.create()
    scaled.join()
    fleet.service()
    fleet.settle(fleet.steady, "the service")
    [first] = scaled.states()
    fleet.ec2.terminate_instances(InstanceIds=[first])
    [second] = scaled.states()
    assert second != first
    assert scaled.container_instances() == []
    instance = scaled.join()
    fleet.settle(lambda: fleet.steady() and fleet.stable(), "the service on the new instance")
    assert fleet.tasks_on(instance) == 1


def test_a_task_waits_for_an_instance_of_its_capacity_provider(fleet: Fleet, scaled: Scaled) -> None:
    fleet.desired()
    scaled.create()
    scaled.provide()
    fleet.join()
    fleet.service(capacityProviderStrategy=[{"capacityProvider": "p", "weight": 1}])
    assert fleet.messages()[-1].endswith("No Container Instances were found in your capacity provider.")
    [waiting] = fleet.ecs.list_tasks(cluster=CLUSTER)["taskArns"]
    assert (fleet.status(waiting), fleet.mine(fleet.desired())) == ("PROVISIONING", [])
    [launched] = scaled.launched()
    assert (launched.user_data, launched.zone) == (USER_DATA, f"{REGION}a")
    instance = scaled.join()
    fleet.settle(fleet.steady, "the service")
    assert fleet.tasks_on(instance) == 1
    [found] = fleet.ecs.describe_tasks(cluster=CLUSTER, tasks=[waiting])["tasks"]
    assert (found["capacityProviderName"], found["containerInstanceArn"]) == ("p", instance)


def test_tasks_that_wait_make_the_group_grow(fleet: Fleet, scaled: Scaled) -> None:
    fleet.desired()
    scaled.create(MinSize=0, MaxSize=2)
    scaled.provide()
    fleet.service(desiredCount=2)
    assert scaled.states() == {}
    fleet.ecs.update_capacity_provider(name="p", autoScalingGroupProvider={"managedScaling": {"status": "ENABLED"}})
    assert list(scaled.states().values()) == ["InService", "InService"]
    [activity, *_] = scaled.client.describe_scaling_activities(AutoScalingGroupName="g")["Activities"]
    assert "triggered policy ECSManagedAutoScalingPolicy changing the desired capacity from 0 to 2" in activity["Cause"]
    for each in scaled.launched():
        fleet.register(each.id)
    fleet.settle(lambda: fleet.steady() and fleet.described()["runningCount"] == 2, "two tasks")


def test_an_instance_that_ends_first_gives_its_tasks_away(fleet: Fleet, scaled: Scaled) -> None:
    scaled.create()
    scaled.provide()
    old = scaled.join()
    fleet.service()
    fleet.settle(fleet.steady, "the service")
    [ending] = scaled.states()
    hooks = scaled.client.describe_lifecycle_hooks(AutoScalingGroupName="g")["LifecycleHooks"]
    assert [(each["LifecycleHookName"], each["HeartbeatTimeout"]) for each in hooks] == [(_HOOK, 3600)]
    scaled.client.terminate_instance_in_auto_scaling_group(InstanceId=ending, ShouldDecrementDesiredCapacity=False)
    assert scaled.states()[ending] == "Terminating:Wait"
    [found] = fleet.ecs.describe_container_instances(cluster=CLUSTER, containerInstances=[old])["containerInstances"]
    assert found["status"] == "DRAINING"
    new = scaled.join()
    fleet.settle(lambda: ending not in scaled.states(), "the old instance's end")
    fleet.settle(lambda: fleet.steady() and fleet.stable(), "the service on the new instance")
    assert (fleet.tasks_on(old), fleet.tasks_on(new)) == (0, 1)
    fleet.settle(lambda: scaled.container_instances() == [new], "the old container instance's end")


def test_an_instance_with_tasks_is_protected_from_scale_in(fleet: Fleet, scaled: Scaled) -> None:
    fleet.desired()
    scaled.create(MinSize=0, MaxSize=2, DesiredCapacity=1, NewInstancesProtectedFromScaleIn=True)
    scaled.provide(managedScaling={"status": "ENABLED"}, managedTerminationProtection="ENABLED")
    scaled.join()
    assert not scaled.described()["Instances"][0]["ProtectedFromScaleIn"]
    fleet.service()
    fleet.settle(fleet.steady, "the service")
    assert scaled.described()["Instances"][0]["ProtectedFromScaleIn"]


def test_termination_protection_without_managed_scaling_is_refused(fleet: Fleet, scaled: Scaled) -> None:
    scaled.create(NewInstancesProtectedFromScaleIn=True)
    with pytest.raises(fleet.ecs.exceptions.ClientException, match="enable managed scaling"):
        scaled.provide(managedTerminationProtection="ENABLED")


def test_no_instance_waits_for_a_hook_that_nobody_completes(aws: Callable[[str], Client], account: str) -> None:
    fleet = Fleet("", account, aws)
    scaled = Scaled(fleet, aws("autoscaling"))
    scaled.create(MinSize=0, DesiredCapacity=1)
    scaled.provide()
    scaled.client.set_desired_capacity(AutoScalingGroupName="g", DesiredCapacity=0)
    assert scaled.states() == {}
    fleet.ecs.delete_capacity_provider(capacityProvider="p")
    assert scaled.client.describe_lifecycle_hooks(AutoScalingGroupName="g")["LifecycleHooks"] == []
