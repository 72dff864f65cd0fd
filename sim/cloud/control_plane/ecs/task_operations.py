"""Operations on tasks."""

from __future__ import annotations

from collections.abc import Callable

from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.ecs.container_instances import ContainerInstance, lacking, remaining
from sim.cloud.control_plane.ecs.services import Change, Service
from sim.cloud.control_plane.ecs.state import (
    Cluster,
    States,
    as_tags,
    cluster_name,
    described_cluster,
    last_part,
    page,
    tags_of,
    wants_tags,
)
from sim.cloud.control_plane.ecs.tasks import Task, change, containers, describe, request_stop, reservation

_SETTINGS = ("enableExecuteCommand", "overrides")
_FILTERS: dict[str, Callable[[Task, str], bool]] = {
    "containerInstance": lambda task, wanted: last_part(task.container_instance_arn) == last_part(wanted),
    "family": lambda task, wanted: last_part(task.definition_arn).partition(":")[0] == wanted,
    "serviceName": lambda task, wanted: task.group == f"service:{last_part(wanted)}",
    "startedBy": lambda task, wanted: task.started_by == wanted,
    "launchType": lambda task, wanted: task.settings["launchType"] == wanted,
}
"""The filters of ListTasks besides the desired status: each compares a task with the wanted value."""


class TaskOperations:
    """Handles the operations on the tasks of a cluster.

    Only an agent makes a task run. The service scheduler starts the tasks of a deployment by StartTask with the
    deployment's id as startedBy. Such a task belongs to the service of that deployment.
    """

    def __init__(self, states: States, change: Callable[[], Change]) -> None:
        self._states = states
        self._change = change
        self.operations: Operations = {
            "DescribeTasks": self.describe,
            "ListTasks": self.list,
            "RunTask": self.run,
            "StartTask": self.start,
            "StopTask": self.stop,
            "SubmitTaskStateChange": self.submit,
        }

    def start(self, call: Call) -> Values:
        described_cluster(call)
        cluster = self._states.of(call).cluster(call)
        chosen = [cluster.instance(each) for each in call.parameters["containerInstances"]]
        return self._place(call, cluster, chosen)

    def run(self, call: Call) -> Values:
        """Places each task on the first instance with room. Placement strategies belong to the scheduler."""
        described_cluster(call)
        cluster = self._states.of(call).cluster(call)
        ready = [each for each in cluster.instances.values() if each.status == "ACTIVE" and each.agent_connected]
        if not ready:
            raise AwsError("InvalidParameterException", "No Container Instances were found in your cluster.")
        answers = [self._first(call, cluster, ready) for _ in range(call.parameters.get("count") or 1)]
        return {kind: [one for answer in answers for one in answer[kind]] for kind in ("tasks", "failures")}

    def _first(self, call: Call, cluster: Cluster, ready: list[ContainerInstance]) -> Values:
        answer: Values = {}
        for instance in ready:
            answer = self._place(call, cluster, [instance])
            if answer["tasks"]:
                break
        return answer

    def _place(self, call: Call, cluster: Cluster, chosen: list[ContainerInstance]) -> Values:
        definition = self._states.of(call).definitions.find(call.parameters["taskDefinition"])
        wanted = reservation(definition)
        started: list[Values] = []
        failures: list[Values] = []
        for instance in chosen:
            lacks = lacking(wanted, remaining(instance, cluster.tasks.values()))
            if lacks:
                failures.append({"arn": instance.arn, "reason": lacks})
                continue
            now = self._change()
            started_by = call.parameters.get("startedBy") or ""
            service = _started_by(cluster, started_by)
            family = f"family:{definition.family}"
            task = Task(
                arn=call.arn("ecs", f"task/{cluster_name(call)}/{now.new_id()}"),
                cluster_arn=call.arn("ecs", f"cluster/{cluster_name(call)}"),
                container_instance_arn=instance.arn,
                definition_arn=definition.arn,
                group=service.group if service else call.parameters.get("group") or family,
                started_by=started_by,
                reservation=wanted,
                containers=containers(definition),
                settings=_settings(call, instance, service),
                tags=_tags(call, service, definition.tags),
                created_at=now.now,
            )
            cluster.put_task(task, now)
            if service:
                updated = now.event(cluster.services[service.name], f"has started 1 tasks: (task {task.id}).")
                cluster.put_service(updated, now)
            started.append(_described(task, tags=True))
        return {"tasks": started, "failures": failures}

    def stop(self, call: Call) -> Values:
        cluster = self._states.of(call).cluster(call)
        now = self._change()
        reason = call.parameters.get("reason") or "Task stopped by user"
        task = request_stop(cluster.task(call.parameters["task"]), reason, now.now)
        cluster.put_task(task, now)
        return {"task": _described(task, tags=True)}

    def submit(self, call: Call) -> Values:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SubmitTaskStateChange.html"""
        cluster = self._states.of(call).cluster(call)
        now = self._change()
        task = change(cluster.task(call.parameters["task"]), call.parameters, now.now)
        cluster.put_task(task, now)
        return {"acknowledgment": "ACCEPT"}

    def describe(self, call: Call) -> Values:
        cluster = self._states.of(call).cluster(call)
        found: list[Values] = []
        failures: list[Values] = []
        for name in call.parameters["tasks"]:
            try:
                found.append(_described(cluster.task(name), tags=wants_tags(call)))
            except AwsError:
                arn = name if name.startswith("arn:") else call.arn("ecs", f"task/{cluster_name(call)}/{name}")
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"tasks": found, "failures": failures}

    def list(self, call: Call) -> Values:
        described_cluster(call)
        asked = call.parameters
        status = asked.get("desiredStatus") or "RUNNING"
        found = [
            each.arn
            for each in self._states.of(call).cluster(call).tasks.values()
            if each.desired_status == status
            and all(fits(each, asked[name]) for name, fits in _FILTERS.items() if asked.get(name))
        ]
        return page(call, "taskArns", found)


def _started_by(cluster: Cluster, deployment: str) -> Service | None:
    for service in cluster.services.values():
        if service.status == "ACTIVE" and any(each.id == deployment for each in service.deployments):
            return service
    return None


def _settings(call: Call, instance: ContainerInstance, service: Service | None) -> Values:
    provider = instance.capacity_provider
    return {
        "launchType": "EC2",
        "availabilityZone": instance.attributes.get("ecs.availability-zone"),
        "overrides": {},
        "enableExecuteCommand": bool(service and service.settings["enableExecuteCommand"]),
        **{name: call.parameters[name] for name in _SETTINGS if call.parameters.get(name)},
        **({"capacityProviderName": provider} if provider else {}),
    }


def _tags(call: Call, service: Service | None, of_definition: dict[str, str]) -> dict[str, str]:
    """The tags of the call, over the tags propagated from the service or the task definition."""
    source = (service.settings["propagateTags"] if service else call.parameters.get("propagateTags")) or "NONE"
    propagated = {"SERVICE": service.tags if service else {}, "TASK_DEFINITION": of_definition}.get(source, {})
    return propagated | tags_of(call.parameters.get("tags"))


def _described(task: Task, *, tags: bool) -> Values:
    return describe(task) | ({"tags": as_tags(task.tags)} if tags else {})
