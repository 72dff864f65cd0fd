"""Operations on Auto Scaling groups. moto keeps what users set, the core what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from sim.cloud.control_plane.autoscaling.descriptions import activity, page
from sim.cloud.control_plane.autoscaling.groups import Kept
from sim.cloud.control_plane.autoscaling.hook_operations import put_hook
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.autoscaling.records import Record
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values, refusals
from sim.cluster.autoscaling.group_requests import created, deleted, desired_set, updated

_NO_WARMUP: Final = -1
_DEFAULT_GRACE_SECONDS: Final = 0
_MOST_ACTIVITIES: Final = 100
"""So many activities are in one answer."""
_REFUSED: Final = (
    "AttachInstances",
    "DetachInstances",
    "EnterStandby",
    "ExitStandby",
    "PutWarmPool",
)


class GroupOperations:
    """Handles the operations that create, change, delete and describe a group."""

    def __init__(self, known: KnownGroups, now: Callable[[], float], chance: Random) -> None:
        self._known = known
        self._now = now
        self._chance = chance
        self.operations: Operations = {
            "CreateAutoScalingGroup": self.create,
            "DeleteAutoScalingGroup": self.delete,
            "DescribeScalingActivities": self.describe_activities,
            "SetDesiredCapacity": self.set_desired_capacity,
            "UpdateAutoScalingGroup": self.update,
            **{name: _refusal(name) for name in _REFUSED},
        }

    def create(self, call: Call) -> Values:
        name = call.parameters["AutoScalingGroupName"]
        if name in self._known.all(call):
            raise AwsError(
                "AlreadyExists",
                f"AutoScalingGroup by this name already exists - A group with the name {name} already exists",
            )
        answer = call.forward()
        record = self._known.record(call)
        _complete(record, call.parameters, grace_seconds=_DEFAULT_GRACE_SECONDS)
        for hook in call.parameters.get("LifecycleHookSpecificationList") or ():
            put_hook(replace(call, parameters={"AutoScalingGroupName": name, **hook}))
        try:
            with refusals():
                group = created(record.settings(), self._now(), call.parameters.get("DesiredCapacity"))
        except AwsError:
            record.forget()
            raise
        self._known.all(call)[name] = Kept(group)
        return answer

    def update(self, call: Call) -> Values:
        group = self._known.named(call).group
        record = self._known.record(call)
        with record.unless_refused(), refusals():
            answer = call.forward()
            _complete(record, call.parameters)
            wanted = call.parameters.get("DesiredCapacity")
            group = updated(group, record.settings(), self._now(), wanted)
        self._known.put(call, record.name, group)
        return answer

    def set_desired_capacity(self, call: Call) -> Values:
        group = self._known.named(call).group
        with refusals():
            honor = bool(call.parameters.get("HonorCooldown"))
            group = desired_set(group, call.parameters["DesiredCapacity"], self._now(), honor_cooldown=honor)
        self._known.put(call, call.parameters["AutoScalingGroupName"], group)
        return {}

    def delete(self, call: Call) -> Values:
        """Nothing of a group outlives its instances, which EC2 ends at once."""
        group = self._known.named(call).group
        with refusals():
            group, actions = deleted(group, self._now(), self._chance, force=bool(call.parameters.get("ForceDelete")))
        record = self._known.record(call)
        group = self._known.put(call, record.name, group, actions)
        record.write(replace(group, instances={}))
        answer = call.forward()
        del self._known.all(call)[record.name]
        return answer

    def describe_activities(self, call: Call) -> Values:
        name, wanted = call.parameters.get("AutoScalingGroupName"), call.parameters.get("ActivityIds")
        if name:
            self._known.named(call)
        found = [
            activity(each, group, self._known.record(call, group).of_moto.arn)
            for group, kept in self._known.all(call).items()
            if name in (None, group)
            for each in kept.group.activities
            if not wanted or each.id in wanted
        ]
        return page("Activities", found, call.parameters, _MOST_ACTIVITIES)


def _complete(record: Record, given: Values, *, grace_seconds: int | None = None) -> None:
    """Sets what moto leaves out of a call, or fills in with a default that AWS does not have.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
    """
    of_moto = record.of_moto
    grace = given.get("HealthCheckGracePeriod", grace_seconds)
    if grace is not None:
        of_moto.health_check_grace_period = grace
    if (warmup := given.get("DefaultInstanceWarmup")) is not None:
        of_moto.default_instance_warmup = None if warmup == _NO_WARMUP else warmup
    if policies := given.get("TerminationPolicies"):
        of_moto.termination_policies = policies
    if (cooldown := given.get("DefaultCooldown")) is not None:
        of_moto.default_cooldown = cooldown
    if (lifetime := given.get("MaxInstanceLifetime")) is not None:
        of_moto.max_instance_lifetime = lifetime or None


def _refusal(operation: str) -> Callable[[Call], Values]:
    def refuse(_: Call) -> Values:
        raise AwsError("ValidationError", f"The local cloud does not support {operation}. Leave it out.")

    return refuse
