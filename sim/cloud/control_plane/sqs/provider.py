"""Corrections to LocalStack's SQS."""

from __future__ import annotations

from sim.cloud.control_plane.call import Call, Operations, Values

_POLICIES = frozenset({"Policy", "RedriveAllowPolicy", "RedrivePolicy"})


def get_queue_attributes(call: Call) -> Values:
    """Leaves out the policies that were removed. Setting a policy to "" removes it.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """
    answer = call.forward()
    attributes = answer.get("Attributes") or {}
    return answer | {
        "Attributes": {name: value for name, value in attributes.items() if value or name not in _POLICIES}
    }


OPERATIONS: Operations = {"GetQueueAttributes": get_queue_attributes}
