"""Operations on container instances."""

from __future__ import annotations

from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.ecs.container_instances import InstanceRecord, describe, register, update_state
from sim.cloud.control_plane.ecs.state import (
    Contents,
    States,
    Surroundings,
    as_tags,
    cluster_name,
    described_cluster,
    page,
    tags_of,
    wants_tags,
)
from sim.cluster.container_instances import ContainerInstance
from sim.cluster.tasks import orphaned


class ContainerInstanceOperations:
    """Handles the operations on container instances, which agents register."""

    def __init__(self, states: States, around: Surroundings) -> None:
        self._states = states
        self._around = around
        self.operations: Operations = {
            "DeregisterContainerInstance": self.deregister,
            "DescribeContainerInstances": self.describe,
            "ListContainerInstances": self.list,
            "RegisterContainerInstance": self.register,
            "UpdateContainerInstancesState": self.update_state,
        }

    def register(self, call: Call) -> Values:
        described_cluster(call)
        contents = self._states.of(call).contents(call)
        known = call.parameters.get("containerInstanceArn")
        before = contents.instance(known) if known else None
        made = register(self._around.new_id(), call.parameters, before, self._around.now())
        arn = call.arn("ecs", f"container-instance/{cluster_name(call)}/{made.id}")
        tags = tags_of(call.parameters.get("tags")) or (contents.instances[before.id].tags if before else {})
        contents.put_instance(made, InstanceRecord(arn, call.parameters.get("versionInfo") or {}, tags))
        return {"containerInstance": _described(made, contents, tags=True)}

    def deregister(self, call: Call) -> Values:
        contents = self._states.of(call).contents(call)
        instance = contents.instance(call.parameters["containerInstance"])
        running = [
            each for each in contents.cluster.tasks.values() if not each.stopped and each.instance == instance.id
        ]
        if running and not call.parameters.get("force"):
            raise AwsError("InvalidParameterException", "Found running tasks on the instance.")
        described = _described(instance, contents, tags=True, status="INACTIVE")
        for task in running:
            contents.put_task(orphaned(task, self._around.now()), contents.tasks[task.id])
        contents.drop_instance(instance)
        return {"containerInstance": described}

    def update_state(self, call: Call) -> Values:
        contents = self._states.of(call).contents(call)
        updated: list[Values] = []
        failures: list[Values] = []
        for name in call.parameters["containerInstances"]:
            try:
                instance = contents.instance(name)
            except AwsError:
                failures.append(_missing(call, name))
                continue
            changed = update_state(instance, call.parameters["status"])
            contents.put_instance(changed)
            updated.append(_described(changed, contents, tags=False))
        return {"containerInstances": updated, "failures": failures}

    def describe(self, call: Call) -> Values:
        contents = self._states.of(call).contents(call)
        found: list[Values] = []
        failures: list[Values] = []
        for name in call.parameters["containerInstances"]:
            try:
                found.append(_described(contents.instance(name), contents, tags=wants_tags(call)))
            except AwsError:
                failures.append(_missing(call, name))
        return {"containerInstances": found, "failures": failures}

    def list(self, call: Call) -> Values:
        described_cluster(call)
        status = call.parameters.get("status")
        contents = self._states.of(call).contents(call)
        return page(
            call,
            "containerInstanceArns",
            [
                contents.instances[each.id].arn
                for each in contents.cluster.instances.values()
                if status in (None, each.status)
            ],
        )


def _missing(call: Call, name: str) -> Values:
    arn = name if name.startswith("arn:") else call.arn("ecs", f"container-instance/{cluster_name(call)}/{name}")
    return {"arn": arn, "reason": "MISSING"}


def _described(instance: ContainerInstance, contents: Contents, *, tags: bool, status: str = "") -> Values:
    record = contents.instances[instance.id]
    described = describe(instance, record, contents.cluster.tasks.values(), status=status)
    return described | ({"tags": as_tags(record.tags)} if tags else {})
