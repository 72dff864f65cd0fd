"""What a world is made of: drawn from its seed, so that a sweep meets many pipelines in many storms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sim.cluster.balancer.nodes import Delays
from sim.cluster.cadence import AWS, LOCAL, Cadence
from sim.faults.plan import SCHEDULED, TIMED, AwsService, Fault, FaultPlan, Rule
from sim.world.chance import stream
from sim.world.clients import Habit

if TYPE_CHECKING:
    from random import Random

EPISODE_SECONDS = 240.0
"""How long a storm lasts at most; after it everything is judged, and the next begins."""
_LOADS = (10.0, 30.0, 90.0)
_SHORT = 0.7
CALLS: dict[str, tuple[AwsService, ...]] = {"api": ("sqs", "ssm"), "worker": ("sqs", "s3")}
_Operation = tuple[AwsService, str]
_SEND: _Operation = ("sqs", "SendMessageBatch")
_RECEIVE: _Operation = ("sqs", "ReceiveMessage")
_DELETE: _Operation = ("sqs", "DeleteMessageBatch")
_KEEP: _Operation = ("sqs", "ChangeMessageVisibilityBatch")
OPERATIONS: tuple[_Operation, ...] = (_SEND, _RECEIVE, _DELETE, _KEEP, ("s3", "PutObject"), ("ssm", "GetParameter"))
_ONLY: dict[Fault, tuple[_Operation, ...]] = {
    Fault.PARTIAL_BATCH_FAILURE: (_SEND, _DELETE, _KEEP),
    Fault.DUPLICATE_DELIVERY: (_RECEIVE, _DELETE),
    Fault.DELAYED_DELIVERY: (_SEND,),
    Fault.REORDERING: (_RECEIVE,),
    Fault.EMPTY_RECEIVE: (_RECEIVE,),
}
"""Which calls a fault can hit, where that is not every call."""
CALL_FAULTS = tuple(
    (fault, operation) for fault in Fault if fault not in SCHEDULED for operation in _ONLY.get(fault, OPERATIONS)
)
"""Every fault of calls, with each call that it can hit."""


_BUSY_EVERY = 12
"""Every so many seeds the storm is short and busy, and workers are stopped and killed all the time while S3 is slow:
else few kills would fall into a stop, between a put and its delete."""
_BUSY: Final[dict[str, Any]] = {"apis": 3, "workers": 3, "pause": 0.2, "storm": 60.0, "cadence": LOCAL}
_STOPS: Final = (
    Rule(Fault.STOP_TASK, caller="worker", every=3.0),
    Rule(Fault.KILL_TASK, caller="worker", every=7.0),
    Rule(Fault.LATENCY, service="s3", operation="PutObject", probability=0.5, seconds=0.1),
)
_SCALED_EVERY = 10
"""Every so many seeds versions roll out while services scale, also to no task and back."""
_SCALES: Final = (
    Rule(Fault.DEPLOY, every=45.0),
    Rule(Fault.SCALE, since=5.0, every=30.0, count=0),
    Rule(Fault.SCALE, since=15.0, every=15.0, count=3),
)


@dataclass(frozen=True)
class Setup:
    """A pipeline and its load. Times in seconds."""

    apis: int = 2
    workers: int = 2
    habits: tuple[Habit, ...] = (Habit.CAREFUL,) * 4
    pause: float = 20.0
    """Between two e-mails of a client, on average."""
    storm: float = EPISODE_SECONDS
    visibility_timeout: int = 10
    receive_wait: int = 20
    max_receive_count: int = 20
    """More than production's 5: a storm takes so many receives that a good e-mail would use up five."""
    token_cache: float = 60.0
    poison: float = 300.0
    """Between two poisoned messages, on average."""
    rotation: float = 600.0
    """Between two rotations of the token, on average."""
    deployments: float | None = None
    """Between two deployments, on average; None for none."""
    cadence: Cadence = LOCAL
    """Of the scheduler's steps, and of registrations."""
    deregistration: float = 5.0
    """Until a node of the load balancer knows at most that a target is to have no more requests."""

    @property
    def counts(self) -> dict[str, int]:
        """The desired count of each service."""
        return {"api": self.apis, "worker": self.workers}

    @property
    def machines(self) -> int:
        """Container instances: one to spare, since an API has a port of each to itself."""
        return max(self.apis + 1, 2)

    @property
    def delays(self) -> Delays:
        """How fast the nodes of the load balancer learn."""
        return Delays(self.cadence.delays.registration, self.deregistration)


def draw_setup(seed: int) -> Setup:
    """The pipeline of a seed."""
    draw = stream(seed, "setup")
    drawn = Setup(
        apis=draw.randint(1, 3),
        workers=draw.randint(1, 3),
        habits=tuple(draw.choice(list(Habit)) for _ in range(draw.randint(2, 6))),
        pause=draw.choice(_LOADS),
        storm=draw.uniform(30, EPISODE_SECONDS),
        visibility_timeout=draw.choice([5, 10, 30]),
        receive_wait=draw.choice([0, 5, 20]),
        token_cache=draw.choice([5.0, 60.0]),
        deployments=draw.choice([None, 40.0, 120.0]),
        cadence=draw.choice([LOCAL, AWS]),
    )
    return replace(drawn, **_BUSY) if _is_busy(seed) else drawn


def _is_busy(seed: int) -> bool:
    return seed % _BUSY_EVERY == 0


def draw_plan(seed: int, setup: Setup) -> FaultPlan:
    """The faults of a seed: up to sixteen rules, most of them for a while only.

    Besides, the seeds take turns with these faults, so that a sweep leaves out none.
    """
    draw = stream(seed, "plan")
    rules = _STOPS if _is_busy(seed) else tuple(_rule(draw, setup.storm) for _ in range(draw.randint(2, 16)))
    scales = _SCALES if seed % _SCALED_EVERY == 0 else ()
    return FaultPlan((*rules, *_turn(draw, seed), *scales), seed, setup.storm)


def _turn(draw: Random, seed: int) -> tuple[Rule, ...]:
    """What the seed's turn is, for the whole storm; a message is kept where S3 is slow."""
    fault, operation = CALL_FAULTS[seed % len(CALL_FAULTS)]
    rules = [_call_rule(draw, fault, operation, 0.3, 0.0, None)]
    if operation == _KEEP:
        rules.append(Rule(Fault.LATENCY, service="s3", operation="PutObject", probability=0.3, seconds=7.0))
    return tuple(rules)


def _rule(draw: Random, storm: float) -> Rule:
    others = [each for each in Fault if each not in {rule.fault for rule in _SCALES}]
    fault = draw.choice([*others, Fault.PARTIAL_BATCH_FAILURE, Fault.ANSWER_LOST])
    since = draw.uniform(0, storm * 0.8)
    until = min(storm, since + 1 + draw.expovariate(1 / 120)) if draw.random() < _SHORT else storm
    if fault in SCHEDULED:
        caller = draw.choice(["api", "worker"])
        cut = draw.choice(CALLS[caller]) if fault is Fault.PARTITION else None
        lasts = {Fault.PARTITION: draw.choice([5.0, 60.0, 200.0]), Fault.CLOCK_SKEW: draw.uniform(-3600, 3600)}
        lasts[Fault.LOSE_ZONE] = draw.choice([20.0, 60.0, 200.0])
        every = draw.choice([5.0, 20.0, 60.0])
        return Rule(fault, caller, cut, None, 1.0, since, until, every, lasts.get(fault))
    operation = draw.choice(_ONLY.get(fault, OPERATIONS))
    return _call_rule(draw, fault, operation, draw.choice([0.02, 0.1, 0.3, 0.7]), since, until)


def _call_rule(
    draw: Random, fault: Fault, operation: _Operation, probability: float, since: float, until: float | None
) -> Rule:
    seconds = draw.choice([0.1, 1.0, 7.0]) if fault in TIMED else None
    rate = draw.choice([0.5, 5.0]) if fault is Fault.BANDWIDTH else None
    return Rule(fault, None, *operation, probability, since, until, None, seconds, rate)
