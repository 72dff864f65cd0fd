"""Has alarms move the desired counts of services, by their scaling policies.

An alarm that is in ALARM calls its policies at each evaluation. The core decides from what all alarms of a target say
at that moment. The new count goes to ECS by UpdateService, as from any caller.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sim.cloud.control_plane.application_autoscaling.policies import policy_of
from sim.cloud.control_plane.application_autoscaling.targets import Target, targets
from sim.cloud.control_plane.call import Regional, Values, moment
from sim.cloud.control_plane.cloudwatch.evaluation import ScalingAlarm
from sim.cluster.autoscaling.scaling_policies import Reading, ScalableTarget, Scaled, step
from sim.cluster.desired import Place

_MOST_ACTIVITIES: Final = 100
Ecs = Callable[[Place], Any]
"""A client of boto3 for ECS in a place."""


@dataclass
class Scaling:
    """What was scaled: the cool-downs of each target, and the activities, the newest first."""

    cooldowns: dict[str, ScalableTarget] = field(default_factory=dict)
    activities: list[Values] = field(default_factory=list)


class ScalesServices:
    """Takes what alarms call for. `now` is in seconds since 1970."""

    def __init__(self, ecs: Ecs, now: Callable[[], float]) -> None:
        self._ecs = ecs
        self._now = now
        self.known: Regional[Scaling] = Regional(Scaling)

    def act(self, calls: list[ScalingAlarm]) -> None:
        """Scales the services whose policies are called."""
        for place in dict.fromkeys(each.place for each in calls):
            for target in targets(place):
                arns = {each.arn for each in target.policies}
                mine = [each for each in calls if each.place == place and each.policy in arns]
                if mine:
                    self._scale(target, mine)

    def _scale(self, target: Target, calls: Iterable[ScalingAlarm]) -> None:
        cluster, name = target.service
        client = self._ecs(target.place)
        services = client.describe_services(cluster=cluster, services=[name])["services"]
        if not services or services[0]["status"] != "ACTIVE":
            return
        known = self.known.at(target.place.account, target.place.region)
        before = known.cooldowns.get(target.resource) or ScalableTarget(0, 0, 0)
        before = replace(
            before,
            minimum=target.minimum,
            maximum=target.maximum,
            capacity=int(services[0]["desiredCount"]),
            policies=tuple(policy_of(each.values) for each in target.policies),
        )
        deploying = len(services[0]["deployments"]) > 1
        after, scaled = step(before, _readings(target, calls), self._now(), deploying=deploying)
        if not scaled or _suspended(target, scaled[0]):
            return
        client.update_service(cluster=cluster, service=name, desiredCount=after.capacity)
        known.cooldowns[target.resource] = after
        activities = [self._activity(target, each, calls) for each in scaled]
        known.activities[:] = [*activities, *known.activities][:_MOST_ACTIVITIES]

    def _activity(self, target: Target, scaled: Scaled, calls: Iterable[ScalingAlarm]) -> Values:
        """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalingActivity.html"""
        [arn] = [each.arn for each in target.policies if each.values["PolicyName"] == scaled.policy]
        alarm = next(each.alarm.name for each in calls if each.policy == arn)
        done = moment(self._now())
        return {
            "ActivityId": str(uuid.uuid4()),
            "ServiceNamespace": "ecs",
            "ResourceId": target.resource,
            "ScalableDimension": "ecs:service:DesiredCount",
            "Description": f"Setting desired count to {scaled.after}.",
            "Cause": f"monitor alarm {alarm} in state ALARM triggered policy {scaled.policy}",
            "StartTime": done,
            "EndTime": done,
            "StatusCode": "Successful",
            "StatusMessage": (
                f"Successfully set desired count to {scaled.after}. Change successfully fulfilled by ecs."
            ),
        }


def _readings(target: Target, calls: Iterable[ScalingAlarm]) -> Mapping[str, Reading]:
    """What each policy hears of the alarms that call it now."""
    found: dict[str, Reading] = {}
    for record in target.policies:
        policy = policy_of(record.values)
        for call in (each for each in calls if each.policy == record.arn):
            found[policy.name] = call.reading(policy)
    return found


def _suspended(target: Target, scaled: Scaled) -> bool:
    way = "Out" if scaled.after > scaled.before else "In"
    return bool(target.suspended.get(f"DynamicScaling{way}Suspended"))
