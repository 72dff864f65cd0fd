"""Life-cycle hooks of an Auto Scaling group: an instance waits until each hook has its result, or its time is up.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from sim.cluster.citations import ASG_API, ASG_GUIDE, cites

Transition = Literal["autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"]
Result = Literal["CONTINUE", "ABANDON"]
LAUNCHING: Final[Transition] = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING: Final[Transition] = "autoscaling:EC2_INSTANCE_TERMINATING"
_LONGEST_WAIT_SECONDS: Final = 48 * 3600.0
_MOST_HEARTBEATS: Final = 100


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook, with AWS's defaults."""

    name: str
    transition: Transition
    heartbeat_seconds: float = 3600.0
    default_result: Result = "ABANDON"


@dataclass(frozen=True, slots=True)
class LifecycleAction:
    """One hook's hold on one instance. `result` is None while it waits."""

    hook: Hook
    token: str
    began_at: float
    deadline: float
    result: Result | None = None


def begun(hook: Hook, token: str, now: float) -> LifecycleAction:
    """The action that a hook begins on an instance."""
    return LifecycleAction(hook, token, now, min(now + hook.heartbeat_seconds, ends_at(hook, now)))


@cites(ASG_GUIDE + "lifecycle-hooks.html")
def ends_at(hook: Hook, began_at: float) -> float:
    """An instance waits for 48 hours or 100 heartbeat time-outs at most, whichever is shorter."""
    return began_at + min(_LONGEST_WAIT_SECONDS, _MOST_HEARTBEATS * hook.heartbeat_seconds)


@cites(ASG_API + "RecordLifecycleActionHeartbeat.html")
def heartbeat(action: LifecycleAction, now: float) -> LifecycleAction:
    """A heartbeat starts the hook's time-out anew."""
    return replace(action, deadline=min(now + action.hook.heartbeat_seconds, ends_at(action.hook, action.began_at)))


@cites(ASG_API + "CompleteLifecycleAction.html")
def completed(action: LifecycleAction, result: Result) -> LifecycleAction:
    """CompleteLifecycleAction ends the wait with its result."""
    return action if action.result else replace(action, result=result)


@cites(ASG_API + "PutLifecycleHook.html")
def expired(action: LifecycleAction, now: float) -> LifecycleAction:
    """A hook whose time-out has passed ends with its default result."""
    return completed(action, action.hook.default_result) if now >= action.deadline else action


@cites(ASG_GUIDE + "lifecycle-hooks.html")
def outcome(actions: Sequence[LifecycleAction]) -> Result | None:
    """ABANDON of one hook ends the wait for all; CONTINUE takes the results of all. None while the instance waits."""
    results = [each.result for each in actions]
    if "ABANDON" in results:
        return "ABANDON"
    return None if None in results else "CONTINUE"
