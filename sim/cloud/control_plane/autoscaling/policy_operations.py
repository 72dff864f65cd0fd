"""Operations on the scaling policies of a group.

A target tracking policy has alarms, which CloudWatch keeps. They are put and deleted by calls of CloudWatch, for which
nobody else should wait: so the operations that do it take the driver's lock for what is theirs alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

from sim.cloud.control_plane.autoscaling.descriptions import page
from sim.cloud.control_plane.autoscaling.groups import Kept
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.autoscaling.policies import KeptPolicy, policy_of
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values, refusals
from sim.cloud.control_plane.cloudwatch.stored import Stored
from sim.cluster.autoscaling.group_policies import execute
from sim.cluster.autoscaling.scaling_policies import Reading
from sim.cluster.cloudwatch.metric_functions import InvalidMath
from sim.cluster.desired import Place

Alarms = Callable[[], Iterable[Stored]]
"""The alarms that CloudWatch keeps, everywhere."""
_MOST_DESCRIBED: Final = 50
"""So many policies are in one answer."""


class PolicyOperations:
    """Handles the operations on scaling policies, whose `operations` need no lock around them.

    `driven` is the lock, told whether the call changes anything; `cloudwatch` makes a client of boto3 in a place.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScalingPolicy.html
    """

    def __init__(
        self,
        known: KnownGroups,
        driven: Callable[[bool], AbstractContextManager[object]],
        cloudwatch: Callable[[Place], Any],
        alarms: Alarms,
        now: Callable[[], float],
    ) -> None:
        self._known = known
        self._driven = driven
        self._cloudwatch = cloudwatch
        self._alarms = alarms
        self._now = now
        self.operations: Operations = {
            "DeleteAutoScalingGroup": self.delete_group,
            "DeletePolicy": self.delete,
            "DescribePolicies": self.describe,
            "ExecutePolicy": self.execute,
            "PutScalingPolicy": self.put,
        }

    def put(self, call: Call) -> Values:
        """Refuses a policy that cannot be evaluated. One that is there keeps its ARN, by which alarms call it."""
        try:
            with refusals():
                policy = policy_of(call.parameters)
        except InvalidMath as wrong:
            raise AwsError("ValidationError", f"The policy is not valid: {wrong}.") from None
        with self._driven(True):
            kept, name = self._known.named(call), call.parameters["PolicyName"]
            before = kept.policies.get(name)
            arn = before.arn if before else _new_arn(call)
            new = KeptPolicy(arn, call.parameters, policy)
            self._keep(call, kept, {**kept.policies, name: new})
        client = self._cloudwatch(Place(call.account, call.region))
        for each in new.alarms:
            client.put_metric_alarm(**each)
        self._drop(call, _names([before] if before else []) - _names([new]))
        return {"PolicyARN": arn, "Alarms": [_alarm(call, name) for name in sorted(_names([new]))]}

    def delete(self, call: Call) -> Values:
        with self._driven(True):
            group, gone = self._found(call)
            kept = self._known.all(call)[group]
            self._keep(call, kept, {name: each for name, each in kept.policies.items() if each is not gone})
        self._drop(call, _names([gone]))
        return {}

    def delete_group(self, call: Call) -> Values:
        """The alarms of its policies go with a group."""
        with self._driven(False):
            policies = self._known.named(call).policies.values()
        answer = call.forward()
        self._drop(call, _names(policies))
        return answer

    def describe(self, call: Call) -> Values:
        given = call.parameters
        group, names, kinds = (given.get(each) for each in ("AutoScalingGroupName", "PolicyNames", "PolicyTypes"))
        with self._driven(False):
            groups = self._known.all(call).items()
            found = [each for name, kept in groups if group in (None, name) for each in kept.policies.values()]
        asked = [each for each in found if not names or each.name in names or each.arn in names]
        described = [each.described(self._calling(call, each.arn)) for each in asked]
        shown = [each for each in described if not kinds or each["PolicyType"] in kinds]
        return page("ScalingPolicies", shown, given, _MOST_DESCRIBED)

    def execute(self, call: Call) -> Values:
        """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ExecutePolicy.html"""
        given = call.parameters
        value, threshold = (given.get(each) for each in ("MetricValue", "BreachThreshold"))
        with self._driven(True), refusals():
            group, found = self._found(call)
            if not found.policy.simple and None in (value, threshold):
                raise AwsError("ValidationError", "A step scaling policy needs MetricValue and BreachThreshold.")
            at, limit = float(value or 0), float(threshold or 0)
            reading = Reading(high=True, value=at, threshold=limit, below=at < limit)
            kept = self._known.all(call)[group]
            honor = bool(given.get("HonorCooldown"))
            changed = execute(kept.group, found.policy, reading, self._now(), honor_cooldown=honor)
            self._known.all(call)[group] = replace(kept, group=changed)
        return {}

    def _keep(self, call: Call, kept: Kept, policies: Mapping[str, KeptPolicy]) -> None:
        self._known.all(call)[kept.group.settings.name] = replace(kept, policies=policies)

    def _found(self, call: Call) -> tuple[str, KeptPolicy]:
        """The policy that the call names or whose ARN it has, and its group. Raises AwsError: ValidationError."""
        wanted, group = call.parameters["PolicyName"], call.parameters.get("AutoScalingGroupName")
        for name, kept in self._known.all(call).items():
            for each in kept.policies.values():
                if wanted == each.arn or (wanted == each.name and group == name):
                    return name, each
        raise AwsError("ValidationError", f"Policy not found: {wanted}")

    def _calling(self, call: Call, arn: str) -> list[Values]:
        """The alarms that call a policy."""
        place = Place(call.account, call.region)
        return [
            {"AlarmName": each.values["AlarmName"], "AlarmARN": each.values["AlarmArn"]}
            for each in self._alarms()
            if each.place == place and arn in (each.values.get("AlarmActions") or ())
        ]

    def _drop(self, call: Call, names: set[str]) -> None:
        if names:
            self._cloudwatch(Place(call.account, call.region)).delete_alarms(AlarmNames=sorted(names))


def _names(policies: Iterable[KeptPolicy]) -> set[str]:
    return {alarm["AlarmName"] for each in policies for alarm in each.alarms}


def _alarm(call: Call, name: str) -> Values:
    return {"AlarmName": name, "AlarmARN": call.arn("cloudwatch", f"alarm:{name}")}


def _new_arn(call: Call) -> str:
    of = f"autoScalingGroupName/{call.parameters['AutoScalingGroupName']}:policyName/{call.parameters['PolicyName']}"
    return call.arn("autoscaling", f"scalingPolicy:{uuid.uuid4()}:{of}")
