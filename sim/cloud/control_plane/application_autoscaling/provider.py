"""Corrections to moto's Application Auto Scaling."""

from __future__ import annotations

from collections.abc import Callable

from sim.cloud.control_plane.call import AwsError, Call, Operations, Regional, Values


class ApplicationAutoScaling:
    """Keeps the tags of scalable targets, which moto lacks, and checks ECS services against this plugin's state.

    `has_service` returns True if the caller has an active service with this cluster and name.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ListTagsForResource.html
    """

    def __init__(self, has_service: Callable[[Call, str, str], bool]) -> None:
        self._has_service = has_service
        self._tags: Regional[dict[str, dict[str, str]]] = Regional(dict)
        self.operations: Operations = {
            "ListTagsForResource": self.list_tags_for_resource,
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
