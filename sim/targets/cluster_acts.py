"""What can be done to a running cluster by hand: scale a service, stop or lose a task, an instance, a zone, drain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sim.aws.arn import last_part
from sim.cloud.aws_client import ACCOUNT, local_session
from sim.cloud.ecs import EcsService, container_instances, zone_of
from sim.cloud.registered_targets import registered_targets
from sim.errors import SimError
from sim.host.loopback import NoAnswer, request
from sim.targets.cluster_tasks import Tasks

_Found = TypeVar("_Found")
_ASK_SECONDS = 10
_OK = 200
_JSON = {"Content-Type": "application/json"}


class NotInCluster(SimError):
    """The cluster has no task, instance, zone or service of this name."""


@dataclass(frozen=True)
class Acts:
    """The acts on one cluster: by the local cloud's endpoint, its tasks on this machine, and its services by name."""

    endpoint: str
    tasks: Tasks
    services: Mapping[str, EcsService]

    def service(self, name: str) -> EcsService:
        """A service by its name; of the pipeline it is `api` or `worker`. Raises NotInCluster."""
        return _one(name, self.services, "service")

    def lose_task(self, name: str) -> None:
        """Kills all of a task, by its id or by a service, which is its first task. Raises NotInCluster."""
        self.tasks.kill(self._task(name)["taskArn"])

    def stop_task(self, name: str) -> None:
        """Stops a task as StopTask does, by its id or by a service, which is its first task. Raises NotInCluster."""
        self._ecs.stop_task(cluster=self._name, task=self._task(name)["taskArn"])

    def terminate_instance(self, name: str) -> None:
        """Terminates an EC2 instance; its Auto Scaling group launches another. Raises NotInCluster."""
        self._client("ec2").terminate_instances(InstanceIds=[self._instance(name)["ec2InstanceId"]])

    def lose_instance(self, name: str) -> None:
        """Cuts an EC2 instance off. Raises NotInCluster."""
        self._put_lost(self._instance(name), lost=True)

    def bring_back(self, name: str) -> None:
        """Ends `lose_instance`. Raises NotInCluster."""
        self._put_lost(self._instance(name), lost=False)

    def lose_zone(self, name: str) -> list[str]:
        """Cuts all instances of a zone off; their ids. Raises NotInCluster."""
        lost = _one(name, self._zones(), "zone")
        for each in lost:
            self._put_lost(each, lost=True)
        return [each["ec2InstanceId"] for each in lost]

    def lose_nat_gateway(self, name: str | None = None) -> dict[str, frozenset[str]]:
        """Loses a NAT gateway, by default the only one.

        Returns the instances behind it, each with the AWS services, such as `s3`, that it reaches still. Raises
        NotInCluster.
        """
        there = {each["NatGatewayId"]: each for each in self._nat_gateways("available")}
        only = next(iter(there)) if len(there) == 1 else ""
        gateway = _one(name or only, there, "NAT gateway")["NatGatewayId"]
        behind = self._put(f"nat-gateways/{gateway}", lost=True)["instances"]
        return {instance: frozenset(reached) for instance, reached in behind.items()}

    def bring_nat_gateways_back(self) -> None:
        """Ends `lose_nat_gateway`."""
        for each in self._nat_gateways("failed"):
            self._put(f"nat-gateways/{each['NatGatewayId']}", lost=False)

    def bring_all_back(self) -> None:
        """Ends `lose_instance` for every instance that is cut off."""
        for each in self._instances():
            if not each["agentConnected"]:
                self._put_lost(each, lost=False)

    def drain(self, name: str) -> None:
        """Sets an instance to DRAINING: its tasks move elsewhere. Raises NotInCluster."""
        self._set(name, "DRAINING")

    def activate(self, name: str) -> None:
        """Ends `drain`. Raises NotInCluster."""
        self._set(name, "ACTIVE")

    def restore(self) -> None:
        """Ends all losses and drains, but for those of instances that their group ends."""
        self.bring_all_back()
        self.bring_nat_gateways_back()
        draining = {each["ec2InstanceId"] for each in self._instances() if each["status"] == "DRAINING"}
        members = self._client("autoscaling").describe_auto_scaling_instances(InstanceIds=sorted(draining))
        for each in members["AutoScalingInstances"] if draining else ():
            if each["LifecycleState"] == "InService":
                self.activate(each["InstanceId"])

    def instances(self, service: str) -> list[str]:
        """The EC2 instance ids of those that have a task of a service. Raises NotInCluster if there is none."""
        used = {each.get("containerInstanceArn") for each in self.service(service).tasks()}
        found = [str(each["ec2InstanceId"]) for each in self._instances() if each["containerInstanceArn"] in used]
        if not found:
            raise NotInCluster(f"no instance has a task of the {service}; see `sim cluster status`")
        return sorted(found)

    def zones(self) -> list[str]:
        """The zones that have an instance."""
        return sorted(self._zones())

    def in_service(self) -> set[str]:
        """The EC2 instance ids that a load balancer has in service."""
        found = registered_targets(local_session(region=self._region), self.endpoint)
        return {each.instance for each in found if each.serves}

    def instance_of(self, task: Mapping[str, Any]) -> str:
        """The EC2 instance id of the instance that a task is on. Raises NotInCluster."""
        instances = {str(each["containerInstanceArn"]): str(each["ec2InstanceId"]) for each in self._instances()}
        return _one(str(task["containerInstanceArn"]), instances, "container instance")

    def _task(self, name: str) -> dict[str, Any]:
        tasks = {last_part(each["taskArn"]): each for of in self.services.values() for each in of.tasks()}
        if name in self.services:
            name = next((last_part(each["taskArn"]) for each in self.service(name).tasks()), name)
        return _one(name, tasks, "task")

    def _zones(self) -> dict[str, list[dict[str, Any]]]:
        zones: dict[str, list[dict[str, Any]]] = {}
        for each in self._instances():
            zones.setdefault(zone_of(each), []).append(each)
        return zones

    def _set(self, name: str, status: str) -> None:
        instance = self._instance(name)
        self._ecs.update_container_instances_state(
            cluster=self._name, containerInstances=[instance["containerInstanceArn"]], status=status
        )

    def _instance(self, name: str) -> dict[str, Any]:
        return _one(name, {str(each["ec2InstanceId"]): each for each in self._instances()}, "instance")

    def _nat_gateways(self, state: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client("ec2").describe_nat_gateways()["NatGateways"]
        return [each for each in found if each["State"] == state]

    def _put_lost(self, instance: dict[str, Any], *, lost: bool) -> None:
        self._put(instance["ec2InstanceId"], lost=lost)

    def _put(self, what: str, *, lost: bool) -> dict[str, Any]:
        path = f"/_sim/{ACCOUNT}/{self._region}/ec2/{what}/lost"
        try:
            body = json.dumps({"lost": lost}).encode()
            answer = request("PUT", self.endpoint + path, body=body, headers=_JSON, seconds=_ASK_SECONDS)
        except NoAnswer as error:
            raise SimError(f"the local cloud does not answer: {error}; see `sim status`") from None
        if answer.status != _OK:
            raise SimError(f"the local cloud refused PUT {path}: {answer.status} {answer.data!r}; see `sim logs`")
        found: dict[str, Any] = answer.json()
        return found

    def _instances(self) -> list[dict[str, Any]]:
        return container_instances(self._ecs, self._name)

    @property
    def _name(self) -> str:
        return self._first.cluster

    @property
    def _region(self) -> str:
        return self._first.region

    @property
    def _first(self) -> EcsService:
        for each in self.services.values():
            return each
        raise NotInCluster("the cluster has no service")

    @property
    def _ecs(self) -> Any:
        return self._client("ecs")

    def _client(self, name: str) -> Any:
        client: Any = local_session(region=self._region).client(name, endpoint_url=self.endpoint)  # type: ignore[call-overload]  # by name
        return client


def _one(name: str, known: Mapping[str, _Found], what: str) -> _Found:
    if name not in known:
        raise NotInCluster(f"the cluster has no {what} {name!r}; there are: {', '.join(sorted(known)) or 'none'}")
    return known[name]
