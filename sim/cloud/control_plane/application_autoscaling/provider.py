"""Corrections to moto's Application Auto Scaling."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sim.cloud.control_plane.application_autoscaling.policies import alarms_of, policy_of
from sim.cloud.control_plane.application_autoscaling.scaling import Scaling
from sim.cloud.control_plane.application_autoscaling.targets import put_alarms
from sim.cloud.control_plane.call import AwsError, Call, Operations, Regional, Values, refusals
from sim.cluster.autoscaling.scaling_policies import Policy, TargetTracking
from sim.cluster.cloudwatch.metric_functions import InvalidMath
from sim.cluster.desired import Place


class ApplicationAutoScaling:
    """Keeps the tags of scalable targets, which moto lacks, and checks ECS services against this plugin's state.

    `has_service` returns True if the caller has an active service with this cluster and name. `cloudwatch` makes a
    client of boto3 in a place: a target tracking policy has alarms of its own.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ListTagsForResource.html
    """

    def __init__(
        self,
        has_service: Callable[[Call, str, str], bool],
        scaling: Regional[Scaling],
        cloudwatch: Callable[[Place], Any],
    ) -> None:
        self._has_service = has_service
        self._scaling = scaling
        self._cloudwatch = cloudwatch
        self._tags: Regional[dict[str, dict[str, str]]] = Regional(dict)
        self.operations: Operations = {
            "DeleteScalingPolicy": self.delete_scaling_policy,
            "DescribeScalingActivities": self.describe_scaling_activities,
            "ListTagsForResource": self.list_tags_for_resource,
            "PutScalingPolicy": self.put_scaling_policy,
            "RegisterScalableTarget": self.register_scalable_target,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
        }

    def register_scalable_target(self, call: Call) -> Values:
        resource: str = call.parameters["ResourceId"]
        if call.parameters["ServiceNamespace"] == "ecs":
            _, cluster, service = resource.split("/")
            if not self._has_service(call, cluster, service):
                raise AwsError("ValidationException", f"ECS service doesn't exist: {resource}")
        answer = call.forward()
        self._tags.of(call).setdefault(answer["ScalableTargetARN"], {}).update(call.parameters.get("Tags") or {})
        return answer

    def put_scaling_policy(self, call: Call) -> Values:
        """Refuses a policy that cannot be evaluated. Makes the alarms of a target tracking policy.

        A policy that is there already keeps its ARN, by which alarms call it.
        """
        if call.parameters["ServiceNamespace"] != "ecs":
            return call.forward()
        try:
            with refusals():
                policy = policy_of(call.parameters)
        except InvalidMath as wrong:
            raise AwsError("ValidationException", f"The policy is not valid: {wrong}.") from None
        before = self._policy(call)
        answer = call.forward()
        arn = before["PolicyARN"] if before else answer["PolicyARN"]
        alarms = self._alarms(call, policy, arn)
        self._drop({each["AlarmName"] for each in before.get("Alarms") or ()} - alarms.keys(), call)
        place = Place(call.account, call.region)
        put_alarms(place, answer["PolicyARN"], alarms, kept_arn=arn)
        return {"PolicyARN": arn, "Alarms": [{"AlarmName": name, "AlarmARN": of} for name, of in alarms.items()]}

    def delete_scaling_policy(self, call: Call) -> Values:
        before = self._policy(call)
        answer = call.forward()
        self._drop({each["AlarmName"] for each in before.get("Alarms") or ()}, call)
        return answer

    def describe_scaling_activities(self, call: Call) -> Values:
        wanted = call.parameters.get("ResourceId")
        activities = self._scaling.of(call).activities
        return {"ScalingActivities": [each for each in activities if wanted in (None, each["ResourceId"])]}

    def _policy(self, call: Call) -> Values:
        """The policy that the call names, {} if there is none."""
        names = ("ServiceNamespace", "ResourceId", "ScalableDimension")
        asked = {name: call.parameters[name] for name in names}
        found: list[Values] = call.forward("DescribeScalingPolicies", asked)["ScalingPolicies"]
        return next((each for each in found if each["PolicyName"] == call.parameters["PolicyName"]), {})

    def _alarms(self, call: Call, policy: Policy, arn: str) -> dict[str, str]:
        """Makes the alarms of a target tracking policy; their ARNs by their names."""
        if not isinstance(policy, TargetTracking):
            return {}
        client = self._cloudwatch(Place(call.account, call.region))
        wanted = alarms_of(policy, call.parameters, arn)
        for each in wanted:
            client.put_metric_alarm(**each)
        return {name: call.arn("cloudwatch", f"alarm:{name}") for each in wanted if (name := each["AlarmName"])}

    def _drop(self, names: Collection[str], call: Call) -> None:
        if names:
            self._cloudwatch(Place(call.account, call.region)).delete_alarms(AlarmNames=sorted(names))

    def list_tags_for_resource(self, call: Call) -> Values:
        return {"Tags": self._of_resource(call)}

    def tag_resource(self, call: Call) -> Values:
        self._of_resource(call).update(call.parameters["Tags"])
        return {}

    def untag_resource(self, call: Call) -> Values:
        tags = self._of_resource(call)
        for key in call.parameters["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _of_resource(self, call: Call) -> dict[str, str]:
        arn = call.parameters["ResourceARN"]
        try:
            return self._tags.of(call)[arn]
        except KeyError:
            raise AwsError(
                "ResourceNotFoundException", f"No scalable target is registered with the ARN {arn}."
            ) from None
