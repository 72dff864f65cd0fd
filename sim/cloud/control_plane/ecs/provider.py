"""What is put right in moto's ECS."""

from __future__ import annotations

from sim.cloud.control_plane.call import Call, Operations, Values

_KEPT = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
)


class Ecs:
    """Services with all that they were created with."""

    def __init__(self) -> None:
        self._settings: dict[str, Values] = {}
        self.operations: Operations = {
            "CreateService": self._change,
            "DeleteService": self._change,
            "DescribeServices": self._describe,
            "UpdateService": self._change,
        }

    def _change(self, call: Call) -> Values:
        answer = call.forward()
        arn = answer["service"]["serviceArn"]
        given = {name: call.parameters[name] for name in _KEPT if name in call.parameters}
        self._settings.setdefault(arn, {}).update(given)
        return answer | {"service": self._completed(answer["service"])}

    def _describe(self, call: Call) -> Values:
        answer = call.forward()
        return answer | {"services": [self._completed(each) for each in answer["services"]]}

    def _completed(self, service: Values) -> Values:
        """The AWS provider of Terraform crashes on an empty network configuration."""
        said = {name: value for name, value in service.items() if value or name != "networkConfiguration"}
        return said | self._settings.get(service["serviceArn"], {})
