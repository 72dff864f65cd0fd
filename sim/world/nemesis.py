"""Decides which faults hit each call: those of the plan in a storm, else those that a calm check has staged."""

from __future__ import annotations

from collections.abc import Callable

from sim.faults.decide import Decisions, Hit
from sim.faults.plan import Fault, FaultPlan, Rule


class Nemesis:
    """Its faults hit calls while it is `active`; partitions until they end."""

    def __init__(self, plan: FaultPlan, clock: Callable[[], float]) -> None:
        self.plan = plan
        self.active = False
        self._clock = clock
        self._began = 0.0
        self._decisions = Decisions(plan)
        self._partitions: list[tuple[Hit, float]] = []
        self._staged: list[Rule] = []

    def start(self) -> None:
        """Starts the plan, or starts it again."""
        self.active = True
        self._began = self._clock()

    def stop(self) -> None:
        """Ends the plan, and all partitions."""
        self.active = False
        self._partitions.clear()

    def part(self, hit: Hit) -> None:
        """Begins a partition."""
        self._partitions.append((hit, self._clock() + (hit.rule.seconds or 0.0)))

    def stage(self, *rules: Rule) -> None:
        """Has each rule hit the next call that it concerns, in this order. A partition hits all calls until `clear`."""
        self._staged += rules

    def clear(self) -> None:
        """Removes the rules that were staged."""
        self._staged.clear()

    def hits(self, role: str, service: str, operation: str) -> tuple[Hit, ...]:
        """The faults of the next call of this operation by an instance of that service of ours."""
        if not self.active:
            return self._of_staged(role, service, operation)
        now = self._clock()
        parted = tuple(
            hit for hit, until in self._partitions if now < until and hit.rule.concerns(role, service, operation)
        )
        return parted + self._decisions.hits(role, service, operation, now - self._began)

    def _of_staged(self, role: str, service: str, operation: str) -> tuple[Hit, ...]:
        rule = next((rule for rule in self._staged if rule.concerns(role, service, operation)), None)
        if rule is None:
            return ()
        if rule.fault is not Fault.PARTITION:
            self._staged.remove(rule)
        return (Hit(rule, f"staged {rule.fault}"),)
