"""A service in ECS, watched until a deployment has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from release.aws import AWS_ERRORS
from release.errors import Unstable
from release.stability import Stability, State, hides_rollout, judge, knows, stopped_reasons, with_rollout

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient

POLL_SECONDS = 5.0
LATE_SECONDS = 60.0
"""For so long ECS's answers may not know of a deployment yet."""
_EVENTS = 10


@dataclass(frozen=True)
class Time:
    """A clock in seconds that only goes on, and the waiting."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


class Service:
    """One service."""

    def __init__(self, ecs: ECSClient, cluster: str, name: str, time: Time) -> None:
        self._ecs = ecs
        self._cluster = cluster
        self._name = name
        self._time = time

    def wait(self, task_definition: str, seconds: float, seen: Callable[[Stability], None]) -> None:
        """Returns when the deployment of the task definition (ARN) is stable; `seen` gets what is seen meanwhile.

        Raises Unstable, with the service's events and the reasons of stopped tasks, if it failed or `seconds` are over.
        """
        began = self._time.now()
        known = False
        while True:
            service, found = self._look(task_definition, known, self._time.now() - began)
            known = known or knows(service, task_definition)
            seen(found)
            if found.state is State.STABLE:
                return
            if found.state is State.FAILED:
                raise Unstable(self._account(f"the deployment failed: {found.why}", service))
            if self._time.now() - began >= seconds:
                raise Unstable(self._account(f"not stable after {seconds:g} s: {found.why}", service))
            self._time.sleep(POLL_SECONDS)

    def _look(self, task_definition: str, known: bool, seconds: float) -> tuple[dict[str, Any], Stability]:
        """The service, and how the deployment is. ECS that does not answer says nothing against the deployment."""
        try:
            service = self._describe()
        except AWS_ERRORS as error:
            return {}, Stability(State.GOING_ON, f"ECS does not answer: {error}")
        return service, judge(service, task_definition, may_be_late=not known and seconds < LATE_SECONDS)

    def _describe(self) -> dict[str, Any]:
        found: list[Any] = self._ecs.describe_services(cluster=self._cluster, services=[self._name])["services"]
        if not found or not hides_rollout(found[0]):
            return found[0] if found else {}
        known: list[Any] = self._ecs.list_service_deployments(cluster=self._cluster, service=self._name)[
            "serviceDeployments"
        ]
        return with_rollout(found[0], known)

    def _account(self, what: str, service: dict[str, Any]) -> str:
        events = [
            f"  {event['createdAt']:%H:%M:%S} {event['message']}" for event in service.get("events", [])[:_EVENTS]
        ]
        try:
            stopped = [f"  {reason}" for reason in self._stopped()]
        except AWS_ERRORS as error:
            stopped = [f"  could not be read: {error}"]
        return "\n".join(
            [
                f"{self._name}: {what}",
                "events, the newest first:",
                *(events or ["  none"]),
                "stopped tasks:",
                *(stopped or ["  none"]),
            ]
        )

    def _stopped(self) -> list[str]:
        arns = self._ecs.list_tasks(cluster=self._cluster, serviceName=self._name, desiredStatus="STOPPED")["taskArns"]
        tasks: list[Any] = self._ecs.describe_tasks(cluster=self._cluster, tasks=arns)["tasks"] if arns else []
        return stopped_reasons(tasks)
