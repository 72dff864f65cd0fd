"""The service on trial and its cluster: what a trial sees there, does there, and puts back afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sim.cloud.aws_client import local_session
from sim.cloud.ecs import EcsService, container_instances, zone_of
from sim.cluster.deployments import DeploymentConfiguration, least_healthy, most_running
from sim.errors import SimError
from sim.host.waiting import until
from sim.targets.cluster_acts import Acts
from sim.trial.looks import Look, OfTask, SeenTask
from sim.trial.scenario import Act, Revision, Step

_SETTLED_SECONDS: Final = 300
_TAG: Final = "sim-trial"
_BESIDE: Final = "-takes-the-port"

Undo = Callable[[], None]


class NotSettled(SimError):
    """The service is in the middle of something else, so a deployment of it would show nothing."""


@dataclass(frozen=True)
class Before:
    """The service before a trial: what DescribeServices and DescribeTaskDefinition returned of it."""

    service: Mapping[str, Any]
    definition: Mapping[str, Any]

    @property
    def desired(self) -> int:
        """The desired count."""
        return int(self.service["desiredCount"])

    @property
    def percents(self) -> tuple[int, int]:
        """The fewest tasks that have to serve, and the most that may be there."""
        given = self.service["deploymentConfiguration"]
        configuration = DeploymentConfiguration(given["minimumHealthyPercent"], given["maximumPercent"])
        return least_healthy(self.desired, configuration), most_running(self.desired, configuration)

    @property
    def checked(self) -> bool:
        """True if a container of it has a health check."""
        return any("healthCheck" in each for each in self.definition["containerDefinitions"])


@dataclass
class Stage:
    """One service of a cluster, for one trial after the other."""

    acts: Acts
    service: EcsService
    _paused: set[str] = field(default_factory=set)
    _beside: list[str] = field(default_factory=list)

    def before(self) -> Before:
        """The service as it is. Raises NotSettled unless it has all its tasks and one deployment."""
        described = self.service.described()
        if len(described["deployments"]) > 1 or described["runningCount"] != described["desiredCount"]:
            raise NotSettled(
                f"{self.service.name} has {described['runningCount']} of {described['desiredCount']} tasks and "
                f"{len(described['deployments'])} deployments; try again when `sim cluster status` shows it stable"
            )
        if not described["desiredCount"]:
            raise NotSettled(f"{self.service.name} has no tasks: `sim scale {self.service.name} 1`, and try again")
        return Before(described, self.service.definition())

    def deploy(self, before: Before, change: Revision) -> tuple[str, str]:
        """Begins the deployment of a new revision. Returns the ARNs of the revision and of the service deployment."""
        known = {each["serviceDeploymentArn"] for each in self.service.deployments()}
        revision = self.service.revised(revised(before.definition, change))
        self.service.update(taskDefinition=revision)
        [begun] = [arn for arn in self._deployments() if arn not in known]
        return revision, begun

    def look(self, now: Callable[[], float], before: Before, revision: str = "", deployment: str = "") -> Look:
        """The service as it is now; the names are those that `deploy` returned."""
        tasks = [seen(each, revision, checked=before.checked) for each in self.service.tasks()]
        self._let_go(tasks)
        status = self._deployments()[deployment]["status"] if deployment else ""
        return Look(now(), tuple(tasks), status)

    def reason(self, deployment: str) -> str:
        """What ECS says of a service deployment."""
        return str(self._deployments()[deployment].get("statusReason", ""))

    def events(self) -> dict[str, str]:
        """The newest events of the service, by id, the oldest first."""
        return {each["id"]: each["message"] for each in reversed(self.service.described()["events"])}

    def treat(self, task: SeenTask, act: OfTask) -> None:
        """Pauses, resumes or kills a task."""
        if act == "pause":
            self._paused.add(task.arn)
        elif act == "resume":
            self._paused.discard(task.arn)
        getattr(self.acts.tasks, act)(task.arn)

    def perform(self, step: Step, look: Look) -> tuple[str, Undo | None]:
        """Does what a step says. Returns what was done, and what undoes it if that is for the trial to do."""
        match step.do:
            case Act.SCALE:
                count = max(int(self.service.described()["desiredCount"]) + step.by, 0)
                self.service.scale(count)
                if step.before:
                    checked = Before(self.service.described(), self.service.definition()).checked
                    self._await_tasks(self.service, count, lambda task: seen(task, "", checked=checked).healthy)
                return f"scaled to {count}", None
            case Act.TAKE_PORT:
                return self._take_port(look), None
        instance = self._instance(step, look)
        match step.do:
            case Act.LOSE_INSTANCE:
                self.acts.lose_instance(instance)
                return f"cut off {instance}", partial(self.acts.bring_back, instance)
            case Act.LOSE_ZONE:
                lost = self.acts.lose_zone(self._zone(instance))
                return f"cut off {', '.join(lost)}", partial(self._bring_back, lost)
            case _:
                self.acts.drain(instance)
                return f"drains {instance}", partial(self.acts.activate, instance)

    def count_instances(self) -> int:
        """How many container instances take tasks."""
        return sum(each["status"] == "ACTIVE" and each["agentConnected"] for each in self._instances())

    def put_back(self, before: Before) -> None:
        """Ends all that was done, and makes the service go back to what it was. Does not wait for it."""
        self._put_back(before, before.service["deploymentConfiguration"])

    def put_back_now(self, before: Before) -> None:
        """Does the same, and waits until the service is what it was. Raises TimedOut."""
        usual = before.service["deploymentConfiguration"]
        alarms = usual.get("alarms")
        # Nobody wants to wait for the bake time of a version that is known.
        quick = {"alarms": {**alarms, "enable": False, "rollback": False}} if alarms else {}
        try:
            self._put_back(before, {**usual, **quick})
            until(
                lambda: self._is_back(before),
                f"{self.service.name} to be as before",
                seconds=_SETTLED_SECONDS,
                seen=self.service.summary,
            )
        finally:
            self.service.update(deploymentConfiguration=usual)

    def _put_back(self, before: Before, configuration: Mapping[str, Any]) -> None:
        self._let_go([])
        self.acts.restore()
        for name, status in self._statuses_beside().items():
            if status == "ACTIVE":
                self._ecs.delete_service(cluster=self.service.cluster, service=name, force=True)
        described, present = self.service.described(), before.service["taskDefinition"]
        if described["taskDefinition"] != present:
            self.service.update(taskDefinition=present, deploymentConfiguration=configuration)
        if described["desiredCount"] != before.desired:
            self.service.scale(before.desired)

    def _is_back(self, before: Before) -> bool:
        described = self.service.described()
        tasks = [seen(each, "", checked=before.checked) for each in self.service.tasks()]
        return (
            len(described["deployments"]) == 1
            and described["taskDefinition"] == before.service["taskDefinition"]
            and sum(each.healthy for each in tasks) == len(tasks) == before.desired
            and not self.service.deploys()
            and not self._statuses_beside()
        )

    def _statuses_beside(self) -> dict[str, str]:
        """The status of each service that took the port and of which a task may have it still."""
        if not self._beside:
            return {}
        found = self._ecs.describe_services(cluster=self.service.cluster, services=self._beside)["services"]
        statuses = {each["serviceName"]: each["status"] for each in found if each["status"] != "INACTIVE"}
        self._beside = list(statuses)
        return statuses

    def _let_go(self, tasks: list[SeenTask]) -> None:
        """Resumes what is paused and is not to run any more: it has to notice that it is to stop."""
        for arn in self._paused - {each.arn for each in tasks}:
            self.acts.tasks.resume(arn)
            self._paused.discard(arn)

    def _instance(self, step: Step, look: Look) -> str:
        tasks = look.of(new=step.of == "new")
        if not tasks:
            raise NotSettled(f"{step.do}: there is no task of the {step.of} version; choose another moment")
        return self.acts.instance_of({"containerInstanceArn": tasks[0].place})

    def _bring_back(self, instances: Iterable[str]) -> None:
        for each in instances:
            self.acts.bring_back(each)

    def _zone(self, instance: str) -> str:
        [found] = [each for each in self._instances() if each["ec2InstanceId"] == instance]
        return zone_of(found)

    def _take_port(self, look: Look) -> str:
        """Another service, whose tasks have the ports of the service's own on each instance where those are free."""
        used = {each.place for each in look.tasks}
        free = [
            each
            for each in self._instances()
            if each["status"] == "ACTIVE" and each["containerInstanceArn"] not in used
        ]
        beside = EcsService(
            self.service.endpoint, self.service.cluster, self.service.name + _BESIDE, self.service.region
        )
        self._ecs.create_service(
            cluster=beside.cluster,
            serviceName=beside.name,
            taskDefinition=self.service.described()["taskDefinition"],
            launchType="EC2",
            desiredCount=len(free),
        )
        self._beside.append(beside.name)
        self._await_tasks(beside, len(free), lambda task: bool(task["lastStatus"] == "RUNNING"))
        return f"{beside.name} has the port on {len(free)} instances"

    def _await_tasks(self, service: EcsService, count: int, ready: Callable[[Mapping[str, Any]], bool]) -> None:
        def are_ready() -> bool:
            tasks = service.tasks()
            return len(tasks) == count and all(map(ready, tasks))

        until(are_ready, f"{count} tasks of {service.name}", seconds=_SETTLED_SECONDS, seen=service.summary)

    def _deployments(self) -> dict[str, dict[str, Any]]:
        return {each["serviceDeploymentArn"]: each for each in self.service.deployments()}

    def _instances(self) -> list[dict[str, Any]]:
        return container_instances(self._ecs, self.service.cluster)

    @property
    def _ecs(self) -> Any:
        return local_session(region=self.service.region).client("ecs", endpoint_url=self.service.endpoint)


def seen(task: Mapping[str, Any], revision: str, *, checked: bool) -> SeenTask:
    """A task, as DescribeTasks returns it. `checked` says that a container of it has a health check."""
    running = task["lastStatus"] == "RUNNING"
    return SeenTask(
        task["taskArn"],
        new=task["taskDefinitionArn"] == revision,
        running=running,
        healthy=running and (not checked or task.get("healthStatus") == "HEALTHY"),
        place=task.get("containerInstanceArn", ""),
    )


def revised(definition: Mapping[str, Any], change: Revision) -> dict[str, Any]:
    """A task definition with a change in its first essential container. It differs in a label at least."""
    containers = [dict(each) for each in definition["containerDefinitions"]]
    first = next((each for each in containers if each.get("essential", True)), containers[0])
    kept = [each for each in first.get("environment", ()) if each["name"] not in change.environment]
    first["environment"] = [*kept, *({"name": name, "value": value} for name, value in change.environment.items())]
    first["image"] = change.image or first["image"]
    first["dockerLabels"] = {**first.get("dockerLabels", {}), _TAG: "new"}
    return {**definition, "containerDefinitions": containers}
