"""What ECS's description of a service says of a deployment: it is going on, stable, or failed.

A deployment is stable when it is the only one, as many of its tasks run as should, and ECS has completed it:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
With deployment alarms, ECS completes it when they have been watched for a while after the last old task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

_APART: Final = timedelta(seconds=30)
"""How far the two records of one deployment may be apart that ECS makes when it begins."""
_ROLLOUT: Final = {
    "SUCCESSFUL": "COMPLETED",
    "ROLLBACK_SUCCESSFUL": "COMPLETED",
    "STOPPED": "FAILED",
    "ROLLBACK_FAILED": "FAILED",
}
"""What the status of a service deployment says of the PRIMARY deployment. With any other one it is in progress."""


class State(StrEnum):
    """How a deployment is."""

    GOING_ON = "going on"
    STABLE = "stable"
    FAILED = "failed"


@dataclass(frozen=True)
class Stability:
    """How a deployment is, and why in a few words."""

    state: State
    why: str


def knows(service: Mapping[str, Any], task_definition: str) -> bool:
    """True if ECS has heard of the deployment of a task definition (ARN)."""
    return any(each["taskDefinition"] == task_definition for each in service.get("deployments", ()))


def hides_rollout(service: Mapping[str, Any]) -> bool:
    """True if a service as DescribeServices describes it does not say what its rollout state is.

    It is left out for a service behind a Classic ELB:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
    """
    return any("rolloutState" not in each for each in service.get("deployments", ()))


def with_rollout(service: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The service with the rollout state that its service deployments tell, as ListServiceDeployments lists them.

    The service is returned as it is if the newest of them is an older one than its PRIMARY deployment: it may not be
    listed yet, and services from before October 2024 have none.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
    """
    deployments: Sequence[Mapping[str, Any]] = service["deployments"]
    newest = max(known, key=lambda each: each["createdAt"], default=None)
    primary = next((each for each in deployments if each["status"] == "PRIMARY"), None)
    if newest is None or primary is None or newest["createdAt"] < primary["createdAt"] - _APART:
        return dict(service)
    told = {
        "rolloutState": _ROLLOUT.get(newest["status"], "IN_PROGRESS"),
        "rolloutStateReason": newest.get("statusReason", ""),
    }
    return {**service, "deployments": [{**each, **told} if each is primary else each for each in deployments]}


def judge(service: Mapping[str, Any], task_definition: str, *, may_be_late: bool = False) -> Stability:
    """How the deployment of a task definition (ARN) is, by a service as DescribeServices describes it.

    ECS's answers are eventually consistent, so at first they may know nothing of a deployment that was begun. While it
    `may_be_late` that is no failure.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
    """
    if may_be_late and not knows(service, task_definition):
        return Stability(State.GOING_ON, "ECS does not know of it yet")
    if service.get("status") != "ACTIVE":
        return Stability(State.FAILED, f"the service is {service.get('status', 'not there')}")
    deployments: Sequence[Mapping[str, Any]] = service["deployments"]
    ours = next((each for each in deployments if each["taskDefinition"] == task_definition), None)
    primary = next((each for each in deployments if each["status"] == "PRIMARY"), None)
    if ours is None or (primary is not None and primary is not ours):
        why = _reason(ours) or _reason(primary) or "it does not say why"
        return Stability(State.FAILED, f"ECS went back to {_name(primary)}: {why}")
    if ours.get("rolloutState") == "FAILED":
        return Stability(State.FAILED, _reason(ours))
    counts = f"{service['runningCount']} of {service['desiredCount']} tasks run"
    if len(deployments) == 1 and service["runningCount"] == service["desiredCount"]:
        completed = ours.get("rolloutState", "COMPLETED") == "COMPLETED"
        return (
            Stability(State.STABLE, counts) if completed else Stability(State.GOING_ON, f"{counts}, not completed yet")
        )
    failed = ours.get("failedTasks", 0)
    return Stability(State.GOING_ON, f"{counts}, {len(deployments)} deployments" + f", {failed} failed" * bool(failed))


def stopped_reasons(tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why tasks stopped, each reason once, as DescribeTasks describes them."""
    return list(dict.fromkeys(filter(None, map(_stopped, tasks))))


def _stopped(task: Mapping[str, Any]) -> str:
    containers = [
        f"{each['name']} ended"
        + (f" with {each['exitCode']}" if "exitCode" in each else "")
        + _colon(each.get("reason"))
        for each in task.get("containers", [])
        if "exitCode" in each or each.get("reason")
    ]
    return "; ".join(filter(None, [task.get("stoppedReason", ""), *containers]))


def _reason(deployment: Mapping[str, Any] | None) -> str:
    return str((deployment or {}).get("rolloutStateReason", ""))


def _name(deployment: Mapping[str, Any] | None) -> str:
    return "nothing" if deployment is None else str(deployment["taskDefinition"]).rpartition("/")[2]


def _colon(reason: str | None) -> str:
    return f": {reason}" if reason else ""
