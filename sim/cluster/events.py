"""The texts of a service's events, to the letter.

A service keeps its 100 newest events. Something that happened is one event. A *condition*, such as having no room for a
task, is an event when it begins, and again every six hours while it lasts.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sim.cluster.citations import ECS_API, ECS_GUIDE, LeftOut, cites, inferred

KEPT: Final = 100
REPEAT_SECONDS: Final = 6 * 3600.0
_LIST: Final = ECS_GUIDE + "service-event-messages-list.html"
_MORE: Final = "For more information, see the Troubleshooting section"

LEFT_OUT: Final = (
    LeftOut(
        "Availability Zone rebalancing and its events.",
        ECS_GUIDE + "service-rebalancing-event-messages-list.html",
        "it moves tasks while nothing is deployed",
    ),
    LeftOut(
        "Events of Service Auto Scaling, service discovery and API throttling.", _LIST, "the cores have none of these"
    ),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event; the message begins with the service's name."""

    at: float
    message: str


@cites(ECS_GUIDE + "service-event-messages.html")
def kept(events: Sequence[Event], new: Sequence[Event]) -> tuple[Event, ...]:
    """A service has its 100 newest events, the newest first."""
    return (*reversed(new), *events)[:KEPT]


@cites(ECS_GUIDE + "service-event-messages.html")
def due(conditions: Iterable[str], last: Mapping[str, float], now: float) -> list[str]:
    """A duplicate is left out until its cause is resolved or six hours have passed."""
    return [each for each in dict.fromkeys(conditions) if each not in last or now - last[each] >= REPEAT_SECONDS]


@cites(_LIST)
def message(service: str, text: str) -> str:
    """Every message begins with the service's name in parentheses; a text may go on within them."""
    return f"(service {service}{text}" if text.startswith(",") else f"(service {service}) {text}"


@cites(_LIST)
def started(tasks: Sequence[str], replaced: int = 0) -> str:
    """Starts name each task, and how many of them replace unhealthy ones."""
    names = " ".join(f"(task {each})" for each in tasks)
    because = f" Amazon ECS replaced {replaced} tasks due to an unhealthy status." if replaced else ""
    return f"has started {len(tasks)} tasks: {names}.{because}"


@cites(_LIST)
def stopped(tasks: Sequence[str]) -> str:
    """Stops name each task that ran."""
    return f"has stopped {len(tasks)} running tasks: {' '.join(f'(task {each})' for each in tasks)}."


@cites(_LIST)
def stopped_pending(count: int) -> str:
    """Tasks that are stopped before they ran are only counted."""
    return f"stopped {count} pending tasks."


@cites(_LIST)
def registered(kind: str, name: str, count: int) -> str:
    """A Classic ELB has instances registered, a target group targets; the line has no full stop."""
    return f"registered {count} {'instances' if kind == 'elb' else 'targets'} in ({kind} {name})"


@cites(_LIST)
def deregistered(kind: str, name: str, count: int) -> str:
    """A deregistration reads as the registration does."""
    return f"deregistered {count} {'instances' if kind == 'elb' else 'targets'} in ({kind} {name})"


@cites(_LIST)
def draining_connections(deployment: str, count: int) -> str:
    """A target group's tasks begin to drain under the name of their task set."""
    return f", taskSet {deployment}) has begun draining connections on {count} tasks."


@cites(_LIST)
def unhealthy_target(task: str, instance: str, balancer: str, description: str) -> str:
    """An unhealthy target is an event with task, instance, balancer and the balancer's reason."""
    return f"(task {task}) (instance {instance}) is unhealthy in ({balancer}) due to (reason {description})"


@cites(_LIST)
def unhealthy_containers(task: str) -> str:
    """A task whose container health check fails is an event."""
    return f"(task {task}) failed container health checks."


@cites(_LIST)
def no_room(closest: str, lacking: str) -> str:
    """A task that no instance takes is an event that names the closest match and what it lacks."""
    cause = (
        f"The closest matching (container-instance {closest}) {lacking}."
        if closest
        else "Reason: No Container Instances were found in your cluster."
    )
    return (
        "was unable to place a task because no container instance met all of its requirements. "
        f"{cause} {_MORE} of the Amazon ECS Developer Guide."
    )


@cites(_LIST)
def no_capacity() -> str:
    """A capacity provider without an instance is an event of its own."""
    return "was unable to reach steady state. Reason: No Container Instances were found in your capacity provider."


@cites(_LIST)
def provisioning_limit() -> str:
    """A cluster with 500 tasks that wait for capacity takes no more."""
    return "was unable to place tasks in your cluster because the tasks provisioning capacity limit was exceeded."


@inferred("no page has it; accounts' events do, such as the one in https://github.com/boto/boto3/issues/1878")
def not_assumed(role: str) -> str:
    """A task whose role ECS cannot assume is not started, and an event says so."""
    return f"failed to launch a task with (error {unable_to_assume(role)})."


@inferred("no page has it; accounts' events do, such as the one in https://github.com/boto/boto3/issues/1878")
def unable_to_assume(role: str) -> str:
    """ECS names the role, and not why it cannot assume it."""
    return (
        f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role "
        "being passed has the proper trust relationship and permissions and that your IAM user has permissions to "
        "pass this role."
    )


@cites(_LIST)
def could_not_launch(count: int, deployment: str, because: str) -> str:
    """With the circuit breaker on, the tasks that could not be launched are counted for the deployment."""
    return f"could not launch {count} tasks for deployment {deployment}. {because}"


@cites(_LIST)
def no_move() -> str:
    """Percents that allow neither a start nor a stop are an event that asks for other percents."""
    return (
        "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
        "Update the minimumHealthyPercent or maximumPercent value and try again."
    )


@cites(ECS_GUIDE + "service-throttle-logic.html")
def throttled() -> str:
    """A service whose tasks fail to start again and again is an event."""
    return f"is unable to consistently start tasks successfully. {_MORE}."


@cites(ECS_API + "ServiceEvent.html")
def deployment_completed(deployment: str) -> str:
    """The end of a deployment is an event, before the steady state."""
    return f"(deployment {deployment}) deployment completed."


@cites(_LIST)
def steady() -> str:
    """A service with its desired number of healthy tasks, and nothing to do, has reached a steady state."""
    return "has reached a steady state."


@cites(ECS_GUIDE + "deployment-circuit-breaker.html")
def deployment_failed(deployment: str, why: str) -> str:
    """A failed deployment is an event that says whether tasks failed to start or an alarm was detected."""
    return f"(deployment {deployment}) deployment failed: {why}."


@cites(ECS_GUIDE + "deployment-circuit-breaker.html")
def rolling_back(deployment: str) -> str:
    """A rollback is an event that names the deployment it goes to."""
    return f"rolling back to deployment {deployment}."
