"""Operations on tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import get_args

from sim.aws.arn import last_part
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.ecs.refusals import refuse_launch
from sim.cloud.control_plane.ecs.services import constraints, strategies
from sim.cloud.control_plane.ecs.state import (
    Contents,
    States,
    Surroundings,
    as_tags,
    cluster_name,
    described_cluster,
    page,
    propagated,
    tags_of,
    wants_tags,
)
from sim.cloud.control_plane.ecs.task_definitions import TaskDefinition
from sim.cloud.control_plane.ecs.tasks import TaskRecord, change, describe, health, placed, record, stop
from sim.cluster import events
from sim.cluster.container_instances import ContainerInstance, remaining
from sim.cluster.placement import Room, choose, lacking, room_of, takes_new_tasks
from sim.cluster.services import Service
from sim.cluster.tasks import HealthStatus, Task
from sim.cluster.tasks import placed as on_instance

_SETTINGS = ("enableExecuteCommand", "overrides")
_FILTERS: dict[str, Callable[[Task, TaskRecord, str], bool]] = {
    "containerInstance": lambda task, _, wanted: task.instance == last_part(wanted),
    "family": lambda _, of, wanted: of.definition.family == wanted,
    "serviceName": lambda task, _, wanted: task.group == f"service:{last_part(wanted)}",
    "startedBy": lambda task, of, wanted: wanted in {task.deployment, of.started_by},
    "launchType": lambda _, of, wanted: of.settings["launchType"] == wanted,
}
"""The filters of ListTasks besides the desired status: each compares a task with the wanted value."""


class TaskOperations:
    """Handles the operations on the tasks of a cluster.

    Only an agent makes a task run. Whoever plays the service scheduler starts the tasks of a deployment by StartTask
    with the deployment's id as startedBy. Such a task belongs to the service of that deployment.
    """

    def __init__(self, states: States, around: Surroundings) -> None:
        self._states = states
        self._around = around
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
        contents, definition = self._states.of(call).contents(call), self._definition(call)
        answer: Values = {"tasks": [], "failures": []}
        for name in call.parameters["containerInstances"]:
            instance = contents.instance(name)
            lacks = lacking(definition.scheduled(), (), instance, _room(call, contents, definition))
            if lacks:
                answer["failures"].append({"arn": contents.instances[instance.id].arn, "reason": lacks})
            else:
                answer["tasks"].append(self._started(call, contents, definition, instance))
        return answer

    def run(self, call: Call) -> Values:
        """Places each task as the strategies and constraints of the call ask."""
        described_cluster(call)
        contents, definition = self._states.of(call).contents(call), self._definition(call)
        where = constraints(call.parameters.get("placementConstraints"))
        how = strategies(call.parameters.get("placementStrategy"))
        answer: Values = {"tasks": [], "failures": []}
        for _ in range(call.parameters.get("count") or 1):
            room, wanted = _room(call, contents, definition), definition.scheduled()
            ready = [each for each in room.instances if takes_new_tasks(each) and each.agent_connected]
            if not ready:
                raise AwsError("InvalidParameterException", "No Container Instances were found in your cluster.")
            chosen = choose(wanted, where, how, room, self._around.chance)
            if chosen:
                answer["tasks"].append(self._started(call, contents, definition, chosen))
            else:
                answer["failures"] += [
                    {"arn": contents.instances[each.id].arn, "reason": lacking(wanted, where, each, room)}
                    for each in ready
                ]
        return answer

    def _definition(self, call: Call) -> TaskDefinition:
        definition = self._states.of(call).definitions.find(call.parameters["taskDefinition"])
        if self._around.driven():
            refuse_launch(call.parameters, definition.scheduled())
            self._refuse_roles(call, definition.scheduled().roles)
        return definition

    def _refuse_roles(self, call: Call, roles: Iterable[str]) -> None:
        task = call.arn("ecs", "task/new")
        for role in roles:
            if not self._around.assumable(role, task):
                raise AwsError("ClientException", events.unable_to_assume(role))

    def _started(
        self, call: Call, contents: Contents, definition: TaskDefinition, instance: ContainerInstance
    ) -> Values:
        started_by = call.parameters.get("startedBy") or ""
        service = _started_by(contents, started_by)
        task = Task(
            self._around.new_id(),
            definition.scheduled(),
            self._around.now(),
            service.group if service else _group(call, definition),
            started_by if service else "",
        )
        of = record(
            call.arn("ecs", f"task/{cluster_name(call)}/{task.id}"),
            call.arn("ecs", f"cluster/{cluster_name(call)}"),
            definition,
            _settings(call, contents, service),
            started_by=started_by,
            tags=_tags(call, contents, service, definition),
        )
        contents.put_task(on_instance(task, instance.id), placed(of, instance))
        return _described(contents, task.id, tags=True)

    def stop(self, call: Call) -> Values:
        contents = self._states.of(call).contents(call)
        task, reason = contents.task(call.parameters["task"]), call.parameters.get("reason") or ""
        stopped = stop(task, reason, self._around.now(), by_scheduler=not self._around.driven())
        contents.put_task(stopped, contents.tasks[task.id])
        return {"task": _described(contents, task.id, tags=True)}

    def submit(self, call: Call) -> Values:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SubmitTaskStateChange.html"""
        contents = self._states.of(call).contents(call)
        task = contents.task(call.parameters["task"])
        contents.put_task(*change(task, contents.tasks[task.id], call.parameters, self._around.now()))
        return {"acknowledgment": "ACCEPT"}

    def report_health(self, _: str, place: dict[str, str], body: Values) -> Values:
        """Keeps the health of a task's containers, which a real agent reports over a connection of its own."""
        contents = self._states.at(place["account"], place["region"]).clusters[place["cluster"]]
        reported = [body.get("healthStatus"), *(body.get("containers") or {}).values()]
        if unknown := [each for each in reported if each not in get_args(HealthStatus)]:
            raise AwsError("InvalidParameterException", f"{unknown[0]!r} is none of {get_args(HealthStatus)}.")
        task = contents.task(place["task"])
        contents.put_task(*health(task, contents.tasks[task.id], body))
        return {}

    def describe(self, call: Call) -> Values:
        contents = self._states.of(call).contents(call)
        found: list[Values] = []
        failures: list[Values] = []
        for name in call.parameters["tasks"]:
            try:
                found.append(_described(contents, contents.task(name).id, tags=wants_tags(call)))
            except AwsError:
                arn = name if name.startswith("arn:") else call.arn("ecs", f"task/{cluster_name(call)}/{name}")
                failures.append({"arn": arn, "reason": "MISSING"})
        return {"tasks": found, "failures": failures}

    def list(self, call: Call) -> Values:
        described_cluster(call)
        contents, asked = self._states.of(call).contents(call), call.parameters
        status = asked.get("desiredStatus") or "RUNNING"
        found = [
            contents.tasks[each.id].arn
            for each in contents.cluster.tasks.values()
            if each.desired_status == status
            and all(
                fits(each, contents.tasks[each.id], asked[name]) for name, fits in _FILTERS.items() if asked.get(name)
            )
        ]
        return page(call, "taskArns", found)


def _group(call: Call, definition: TaskDefinition) -> str:
    group: str = call.parameters.get("group") or f"family:{definition.family}"
    return group


def _room(call: Call, contents: Contents, definition: TaskDefinition) -> Room:
    tasks = [each for each in contents.cluster.tasks.values() if not each.stopped]
    instances = contents.cluster.instances.values()
    providers = [each["capacityProvider"] for each in call.parameters.get("capacityProviderStrategy") or ()]
    return room_of(instances, remaining(instances, tasks), tasks, _group(call, definition), providers)


def _started_by(contents: Contents, deployment: str) -> Service | None:
    for service in contents.cluster.services.values():
        if service.status == "ACTIVE" and any(each.id == deployment for each in service.deployments):
            return service
    return None


def _settings(call: Call, contents: Contents, service: Service | None) -> Values:
    of_service = contents.services[service.name].settings if service else {}
    return {
        "launchType": "EC2",
        "overrides": {},
        "enableExecuteCommand": bool(of_service.get("enableExecuteCommand")),
        **{name: call.parameters[name] for name in _SETTINGS if call.parameters.get(name)},
    }


def _tags(call: Call, contents: Contents, service: Service | None, definition: TaskDefinition) -> dict[str, str]:
    """The tags of the call, over the tags propagated from the service or the task definition."""
    of = contents.services[service.name] if service else None
    source = of.settings["propagateTags"] if of else call.parameters.get("propagateTags")
    return propagated(source, of.tags if of else {}, definition.tags) | tags_of(call.parameters.get("tags"))


def _described(contents: Contents, identity: str, *, tags: bool) -> Values:
    of = contents.tasks[identity]
    return describe(contents.cluster.tasks[identity], of) | ({"tags": as_tags(of.tags)} if tags else {})
