"""What ECS's description of a service says of a deployment: it is going on, stable, or failed.

A deployment is stable when it is the only one and as many of its tasks run as should:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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
        return Stability(State.FAILED, f"ECS went back to {_name(primary)}: {_reason(ours) or 'it does not say why'}")
    if ours.get("rolloutState") == "FAILED":
        return Stability(State.FAILED, _reason(ours))
    counts = f"{service['runningCount']} of {service['desiredCount']} tasks run"
    if len(deployments) == 1 and service["runningCount"] == service["desiredCount"] and _rolled_out(ours):
        return Stability(State.STABLE, counts)
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


def _rolled_out(deployment: Mapping[str, Any]) -> bool:
    return bool(deployment.get("rolloutState", "COMPLETED") == "COMPLETED")


def _reason(deployment: Mapping[str, Any] | None) -> str:
    return str((deployment or {}).get("rolloutStateReason", ""))


def _name(deployment: Mapping[str, Any] | None) -> str:
    return "nothing" if deployment is None else str(deployment["taskDefinition"]).rpartition("/")[2]


def _colon(reason: str | None) -> str:
    return f": {reason}" if reason else ""
