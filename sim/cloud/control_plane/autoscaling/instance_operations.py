"""Operations on single instances of an Auto Scaling group, and on the hooks that hold them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sim.cloud.control_plane.autoscaling.descriptions import activity
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values, refusals
from sim.cluster.autoscaling.group_requests import (
    action_completed,
    health_set,
    heartbeat_recorded,
    protected,
    terminated,
)
from sim.cluster.autoscaling.group_state import Group


class InstanceOperations:
    """Handles the operations that name an instance."""

    def __init__(self, known: KnownGroups, now: Callable[[], float], chance: Random) -> None:
        self._known = known
        self._now = now
        self._chance = chance
        self.operations: Operations = {
            "CompleteLifecycleAction": self.complete_action,
            "RecordLifecycleActionHeartbeat": self.record_heartbeat,
            "SetInstanceHealth": self.set_health,
            "SetInstanceProtection": self.set_protection,
            "TerminateInstanceInAutoScalingGroup": self.terminate,
        }

    def terminate(self, call: Call) -> Values:
        name = self._known.with_instance(call)
        group = self._known.all(call)[name].group
        instance, decrement = call.parameters["InstanceId"], call.parameters["ShouldDecrementDesiredCapacity"]
        with refusals():
            group, actions = terminated(group, instance, self._now(), self._chance, decrement=bool(decrement))
        ending = group.instances[instance].activity
        group = self._known.put(call, name, group, actions)
        [begun] = [each for each in group.activities if each.id == ending]
        return {"Activity": activity(begun, name, self._known.record(call, name).of_moto.arn)}

    def set_health(self, call: Call) -> Values:
        name = self._known.with_instance(call)
        status = call.parameters["HealthStatus"]
        if status not in {"Healthy", "Unhealthy"}:
            raise AwsError("ValidationError", f"Valid instance health states are: [Healthy, Unhealthy]; got {status}.")
        respect = call.parameters.get("ShouldRespectGracePeriod")
        group = health_set(
            self._known.all(call)[name].group,
            call.parameters["InstanceId"],
            self._now(),
            healthy=status == "Healthy",
            respect_grace=respect is None or bool(respect),
        )
        self._known.put(call, name, group)
        return {}

    def set_protection(self, call: Call) -> Values:
        group = self._known.named(call).group
        with refusals():
            group = protected(
                group, call.parameters["InstanceIds"], protect=bool(call.parameters["ProtectedFromScaleIn"])
            )
        self._known.put(call, call.parameters["AutoScalingGroupName"], group)
        return {}

    def complete_action(self, call: Call) -> Values:
        group, instance = self._held(call)
        result = call.parameters["LifecycleActionResult"]
        if result not in {"CONTINUE", "ABANDON"}:
            raise AwsError("ValidationError", f"A lifecycle action result is CONTINUE or ABANDON; got {result}.")
        hook, token = call.parameters["LifecycleHookName"], call.parameters.get("LifecycleActionToken") or ""
        with refusals():
            group = action_completed(group, instance, hook, result, token)
        self._known.put(call, call.parameters["AutoScalingGroupName"], group)
        return {}

    def record_heartbeat(self, call: Call) -> Values:
        group, instance = self._held(call)
        hook, token = call.parameters["LifecycleHookName"], call.parameters.get("LifecycleActionToken") or ""
        with refusals():
            group = heartbeat_recorded(group, instance, hook, self._now(), token)
        self._known.put(call, call.parameters["AutoScalingGroupName"], group)
        return {}

    def _held(self, call: Call) -> tuple[Group, str]:
        """The group, and the instance that the call names by its id or by a token. Raises AwsError."""
        group = self._known.named(call).group
        instance, token = call.parameters.get("InstanceId"), call.parameters.get("LifecycleActionToken")
        if instance:
            return group, instance
        for each in group.instances.values():
            if token and any(action.token == token for action in each.actions):
                return group, each.id
        raise AwsError("ValidationError", f"No active Lifecycle Action found with token {token}")
