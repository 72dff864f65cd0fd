"""One step of an Auto Scaling group while it goes on, and the few acts that change anything.

A turn is mutable and lives for one step. Each act changes the instances, and adds the activities and the actions that
go with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from sim.cluster.autoscaling import lifecycle_hooks
from sim.cluster.autoscaling.group_state import Group, GroupInstance, Launch, LaunchTemplate, LifecycleState, Purpose
from sim.cluster.autoscaling.lifecycle_hooks import LAUNCHING, TERMINATING, LifecycleAction, Transition
from sim.cluster.autoscaling.scaling_activities import Activity, Status, at, cause, changed, forgotten
from sim.cluster.autoscaling.zones import emptiest
from sim.cluster.citations import inferred

if TYPE_CHECKING:
    from random import Random

_RETRY_SECONDS: Final = 60.0
_LONGEST_RETRY_SECONDS: Final = 900.0


@dataclass(frozen=True, slots=True)
class LaunchInstance:
    """For EC2: run an instance. `launched` or `launch_failed` reports what came of it, by the launch's id."""

    launch: str
    zone: str
    template: LaunchTemplate


@dataclass(frozen=True, slots=True)
class TerminateInstance:
    """For EC2: terminate the instance."""

    instance: str


@dataclass(frozen=True, slots=True)
class LifecycleActionBegan:
    """For whoever listens to the hook, by EventBridge or SNS: the instance waits."""

    instance: str
    hook: str
    transition: Transition
    token: str


GroupAction = LaunchInstance | TerminateInstance | LifecycleActionBegan


@dataclass
class GroupTurn:
    """The group as it is so far in the step."""

    group: Group
    now: float
    chance: Random
    actions: list[GroupAction] = field(default_factory=list)

    def instances(self) -> list[GroupInstance]:
        """All of them, as they are now."""
        return list(self.group.instances.values())

    def put(self, instance: GroupInstance) -> None:
        """Another state of an instance."""
        self.group = self.group.with_instance(instance)

    def take_causes(self) -> tuple[str, ...]:
        """The sentences about the desired capacity, which are used up with that."""
        causes = self.group.causes
        self.group = replace(self.group, causes=())
        return causes

    def new_id(self) -> str:
        """An id as activities and tokens have: a UUID."""
        digits = f"{self.chance.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def launch(self, count: int, purpose: Purpose, sentences: Iterable[str], *, beyond: bool = False) -> None:
        """Asks EC2 for instances, each in a zone with the fewest."""
        settings, text = self.group.settings, cause(sentences)
        for _ in range(count):
            zone = emptiest(self.group, self.chance)
            launch = Launch(self.new_id(), zone, self.group.template, purpose, beyond, settings.protect_new)
            self.group = replace(self.group, launches={**self.group.launches, launch.id: launch})
            self._began(launch.id, "Launching a new EC2 instance", text, "PreInService")
            self.actions.append(LaunchInstance(launch.id, zone, launch.template))

    def terminate(self, instance: GroupInstance, sentences: Iterable[str]) -> None:
        """Begins the end of an instance: its hooks first, then EC2."""
        activity = self.new_id()
        self._began(activity, f"Terminating EC2 instance: {instance.id}", cause(sentences), "InProgress")
        leaving = replace(instance, state="Terminating", activity=activity, beyond=False)
        self._hold(leaving, TERMINATING)

    def arrived(self, instance: GroupInstance) -> None:
        """EC2 runs the instance: its hooks begin, or it is in service."""
        self._hold(instance, LAUNCHING)

    def serve(self, instance: GroupInstance) -> None:
        """The instance is InService."""
        self.put(replace(instance, state="InService", in_service_at=self.now, actions=()))
        self.group = replace(self.group, failures=0)
        self.ended(instance.activity, "Successful")

    def never_served(self, instance: GroupInstance, why: str) -> None:
        """The instance ends before it was in service; another one is launched after a while."""
        self.ended(instance.activity, "Cancelled", why)
        self.group = backed_off(self.group, self.now)
        self.proceed(replace(instance, beyond=False))

    def proceed(self, instance: GroupInstance) -> None:
        """Nothing holds the instance back any more: EC2 ends it."""
        self.put(replace(instance, state="Terminating:Proceed"))
        self.goes_on(instance.activity, "InProgress")
        self.actions.append(TerminateInstance(instance.id))

    def gone(self, instance: GroupInstance) -> None:
        """EC2 has ended the instance."""
        self.group = replace(
            self.group, instances={key: each for key, each in self.group.instances.items() if key != instance.id}
        )
        self.ended(instance.activity, "Successful")

    def ended(self, activity: str, status: Status, message: str = "") -> None:
        """The activity is over."""
        activities = changed(self.group.activities, activity, status, message, self.now)
        self.group = replace(self.group, activities=activities)

    def goes_on(self, activity: str, status: Status) -> None:
        """The activity has another status and is not over."""
        self.group = replace(self.group, activities=changed(self.group.activities, activity, status))

    def note(self, activity: Activity) -> None:
        """One more activity; the newest comes first."""
        kept = (each for each in self.group.activities if not forgotten(each, self.now))
        self.group = replace(self.group, activities=(activity, *kept))

    def says(self, sentence: str) -> str:
        """The sentence with the second of this step before it."""
        return at(self.now, sentence)

    def _began(self, identity: str, description: str, text: str, status: Status) -> None:
        self.note(Activity(identity, description, text, self.now, status))

    def _hold(self, instance: GroupInstance, transition: Transition) -> None:
        hooks = [each for each in self.group.settings.hooks if each.transition == transition]
        held = tuple(lifecycle_hooks.begun(each, self.new_id(), self.now) for each in hooks)
        if held:
            self._wait(instance, held, transition)
        elif transition == TERMINATING:
            self.proceed(replace(instance, actions=()))
        else:
            self.serve(instance)

    def _wait(self, instance: GroupInstance, held: tuple[LifecycleAction, ...], transition: Transition) -> None:
        state: LifecycleState = "Terminating:Wait" if transition == TERMINATING else "Pending:Wait"
        self.put(replace(instance, state=state, actions=held))
        self.goes_on(instance.activity, "MidLifecycleAction")
        self.actions += [LifecycleActionBegan(instance.id, each.hook.name, transition, each.token) for each in held]


@inferred("AWS tries a failed launch again and waits longer each time; how long is not public")
def backed_off(group: Group, now: float) -> Group:
    """After a failed launch the next one waits a minute, then twice as long each time, 15 minutes at most."""
    delay = min(_RETRY_SECONDS * 2**group.failures, _LONGEST_RETRY_SECONDS)
    return replace(group, failures=group.failures + 1, retry_at=now + delay)
