"""The way of tasks to AWS. Those behind a NAT gateway that is lost reach only what their VPC has an endpoint for.

Their calls have no answer then. What the agent does for them goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.aws.iam.request import Principal
from sim.aws.routes import Network
from sim.cloud.control_plane.call import AwsError, Route, Values
from sim.cluster.desired import Desired, DesiredTask, Place

SubnetOf = Callable[[Place, str], tuple[str, str]]


class Egress:
    """Finds the way of a call, and takes NAT gateways away."""

    def __init__(
        self,
        desired: Callable[[], Desired],
        network: Callable[[Place], Network],
        subnet: SubnetOf,
        set_lost: Callable[[Place, str, bool], bool],
    ) -> None:
        """`subnet` returns VPC and subnet of an instance. `set_lost` returns False if it finds no such NAT gateway."""
        self._desired = desired
        self._network = network
        self._subnet = subnet
        self._set_lost = set_lost
        self.routes: dict[str, Route] = {"/_sim/<account>/<region>/ec2/nat-gateways/<gateway>/lost": self.lose}

    def lost_gateway(self, caller: Principal, service: str) -> str:
        """The lost NAT gateway that keeps the call of a session from a service; "" if the call arrives."""
        task = self._task(caller)
        if task is None:
            return ""
        network = self._network(task.place)
        if not network.lost:
            return ""
        instances = {each.container_instance: each.id for each in self._desired().instances}
        return network.lost_gateway(*self._subnet(task.place, instances.get(task.container_instance, "")), service)

    def lose(self, _: str, place: dict[str, str], body: Values) -> Values:
        """Loses a NAT gateway, or brings it back: {"lost": true}. Its state is `failed` meanwhile.

        Returns the instances behind it, each with what it reaches by an endpoint: {"instances": {"i-1": ["s3"]}}.
        Raises AwsError: NatGatewayNotFound, ValidationError.
        """
        lost = body.get("lost")
        if not isinstance(lost, bool):
            raise AwsError("ValidationError", f'The body is {{"lost": true}} or {{"lost": false}}; got {body}.')
        at, gateway = Place(place["account"], place["region"]), place["gateway"]
        if not self._set_lost(at, gateway, lost):
            raise AwsError("NatGatewayNotFound", f"NAT gateway {gateway} was not found", 404)
        network = self._network(at)
        services = sorted({each.service for each in network.endpoints})
        behind = {}
        for instance in self._desired().instances:
            subnet = self._subnet(instance.place, instance.id)
            if instance.place == at and network.lost_gateway(*subnet, "") == gateway:
                behind[instance.id] = [each for each in services if not network.lost_gateway(*subnet, each)]
        return {"instances": behind}

    def _task(self, caller: Principal) -> DesiredTask | None:
        """The task whose own role a session is of. A session of its execution role is the agent's."""
        name = caller.name.rpartition("/")[2]
        return next(
            (
                each
                for each in self._desired().tasks
                if each.arn.endswith(f"/{name}") and each.role("taskRoleArn") == caller.role
            ),
            None,
        )
