"""A load balancer in virtual time: its checks are answered at once, by what a test says of each target."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sim.cluster.balancer import nodes
from sim.cluster.balancer.checks import CheckResult, HealthCheck
from sim.cluster.balancer.nodes import Action, Balancer, Check, Delays, Policy
from sim.cluster.target_health import RegisteredTarget

POLICY = Policy(
    ("a", "b"), HealthCheck(interval=10, timeout=3, healthy=2, unhealthy=2), drain=60.0, delays=Delays(0, 0)
)
OK = CheckResult(passed=True, status=200)


def target(id_: str, zone: str = "a") -> RegisteredTarget:
    return RegisteredTarget(id_, zone, f"10.0.0.{id_[-1]}", 8080)


class InVirtualTime:
    """`answers` says how a check ends, by node and target; `done` is what `step` asked for, with its time."""

    def __init__(self, policy: Policy = POLICY, seed: int = 1, per_zone: int = 1) -> None:
        self.state: Balancer = nodes.start(policy, per_zone)
        self.now = 0.0
        self.chance = Random(seed)
        self.done: list[tuple[float, Action]] = []
        self.answers: Callable[[str, str], CheckResult] = lambda _node, _target: OK

    def register(self, it: RegisteredTarget) -> None:
        self.state = nodes.register(self.state, it, self.now, self.chance)
        self.settle()

    def deregister(self, id_: str) -> None:
        self.state = nodes.deregister(self.state, id_, self.now, self.chance)
        self.settle()

    def drained(self, node: str, id_: str) -> None:
        self.state = nodes.drained(self.state, node, id_)
        self.settle()

    def settle(self) -> None:
        """Does what is due now."""
        self.state, actions = nodes.step(self.state, self.now, self.chance)
        for action in actions:
            self._do(action)

    def until(self, time: float) -> None:
        """Lets time pass."""
        while (due := nodes.due(self.state)) <= time:
            self.now = max(self.now, due)
            self.settle()
        self.now = time

    def asked(self, kind: type[Action]) -> list[Action]:
        return [action for _, action in self.done if isinstance(action, kind)]

    def _do(self, action: Action) -> None:
        self.done.append((self.now, action))
        if isinstance(action, Check):
            result = self.answers(action.node, action.target.id)
            self.state, more = nodes.checked(self.state, action.node, action.target.id, action.number, result, self.now)
            for each in more:
                self._do(each)
