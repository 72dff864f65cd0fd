"""Operations on container instances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.ecs.container_instances import ContainerInstance, describe, register, update_state
from sim.cloud.control_plane.ecs.services import Change
from sim.cloud.control_plane.ecs.state import (
    Cluster,
    States,
    as_tags,
    cluster_name,
    described_cluster,
    page,
    tags_of,
    wants_tags,
)


class ContainerInstanceOperations:
    """Handles the operations on container instances, which agents register."""

    def __init__(self, states: States, change: Callable[[], Change]) -> None:
        self._states = states
        self._change = change
        self.operations: Operations = {
            "DeregisterContainerInstance": self.deregister,
            "DescribeContainerInstances": self.describe,
            "ListContainerInstances": self.list,
            "RegisterContainerInstance": self.register,
            "UpdateContainerInstancesState": self.update_state,
        }

    def register(self, call: Call) -> Values:
        described_cluster(call)
        cluster = self._states.of(call).cluster(call)
        now = self._change()
        known = call.parameters.get("containerInstanceArn")
        before = cluster.instance(known) if known else None
        arn = call.arn("ecs", f"container-instance/{cluster_name(call)}/{now.new_id()}")
        made = register(arn, call.parameters, before, tags_of(call.parameters.get("tags")), now.now)
        cluster.instances[made.arn] = made
        return {"containerInstance": _described(made, cluster, tags=True)}

    def deregister(self, call: Call) -> Values:
        cluster = self._states.of(call).cluster(call)
        instance = cluster.instance(call.parameters["containerInstance"])
        running = [
            each for each in cluster.tasks.values() if not each.stopped and each.container_instance_arn == instance.arn
        ]
        if running and not call.parameters.get("force"):
            raise AwsError("InvalidParameterException", "Found running tasks on the instance.")
        del cluster.instances[instance.arn]
        return {"containerInstance": _described(replace(instance, status="INACTIVE"), cluster, tags=True)}

    def update_state(self, call: Call) -> Values:
        cluster = self._states.of(call).cluster(call)
        updated: list[Values] = []
        failures: list[Values] = []
        for name in call.parameters["containerInstances"]:
            try:
                instance = cluster.instance(name)
            except AwsError:
                failures.append(_missing(call, name))
                continue
            cluster.instances[instance.arn] = update_state(instance, call.parameters["status"])
            updated.append(_described(cluster.instances[instance.arn], cluster, tags=False))
        return {"containerInstances": updated, "failures": failures}

    def describe(self, call: Call) -> Values:
        cluster = self._states.of(call).cluster(call)
        found: list[Values] = []
        failures: list[Values] = []
        for name in call.parameters["containerInstances"]:
            try:
                found.append(_described(cluster.instance(name), cluster, tags=wants_tags(call)))
            except AwsError:
                failures.append(_missing(call, name))
        return {"containerInstances": found, "failures": failures}

    def list(self, call: Call) -> Values:
        described_cluster(call)
        status = call.parameters.get("status")
        known = self._states.of(call).cluster(call).instances.values()
        return page(call, "containerInstanceArns", [each.arn for each in known if status in (None, each.status)])


def _missing(call: Call, name: str) -> Values:
    arn = name if name.startswith("arn:") else call.arn("ecs", f"container-instance/{cluster_name(call)}/{name}")
    return {"arn": arn, "reason": "MISSING"}


def _described(instance: ContainerInstance, cluster: Cluster, *, tags: bool) -> Values:
    return describe(instance, cluster.tasks.values()) | ({"tags": as_tags(instance.tags)} if tags else {})
