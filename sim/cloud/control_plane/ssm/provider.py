"""A correction to LocalStack's Systems Manager."""

from __future__ import annotations

import json

from sim.cloud.control_plane.call import Call, Operations, Values


def get_parameter(call: Call) -> Values:
    answer = call.forward()
    return answer | {"Parameter": as_text(answer["Parameter"])}


def get_parameters(call: Call) -> Values:
    answer = call.forward()
    return answer | {"Parameters": [as_text(each) for each in answer["Parameters"]]}


def as_text(parameter: Values) -> Values:
    """The parameter with a text for a value. moto keeps some of AWS's public parameters as what their JSON says.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html
    """
    value = parameter.get("Value")
    return parameter if value is None or isinstance(value, str) else parameter | {"Value": json.dumps(value)}


OPERATIONS: Operations = {
    "GetParameter": get_parameter,
    "GetParameters": get_parameters,
    "GetParametersByPath": get_parameters,
}
