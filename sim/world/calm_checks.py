"""The checks after a storm, without faults of the plan. Each records a measurement with its bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.api.token import REFRESH_SECONDS
from sim.faults.plan import Fault, Rule
from sim.history.events import PublishOutcome
from sim.world.clients import Habit
from sim.world.fleet import DRAIN_SECONDS
from sim.world.instances import API_STOP_SECONDS, Api, WorkerInstance
from sim.world.versions import Version

if TYPE_CHECKING:
    from sim.world.world import World

_EMAILS = 12
"""More than a batch."""
_FAILING_BATCHES = {"SendMessageBatch": 4, "DeleteMessageBatch": 1}
_OUTAGE_TIMEOUTS = 2.5
"""How many visibility timeouts an outage of S3 lasts."""
_STEP = 0.25
_ONE_CALL = 0.5
"""What a publish takes at most in calm weather."""
_WORKER_STOP_SECONDS = 25.0
_REPLACED_SECONDS = 180.0
"""Until another task has taken the place of one that ended, and is healthy."""
_DEPLOYED_SECONDS = 900.0
_PROBE_SECONDS = 5.0
"""Between two e-mails while a deployment is under way."""
_GIVE_UP = 600.0


def examine(world: World) -> None:
    """Runs all checks, one after the other."""
    _wasted_work(world)
    _an_outage(world)
    _a_stop_in_an_outage(world)
    _lost_answers(world)
    _no_ssm(world)
    _a_rotation(world)
    _ends(world)
    if world.setup.deployments is not None:
        _a_deployment(world)


def _publish(world: World, habit: Habit = Habit.CAREFUL) -> list[PublishOutcome]:
    """Publishes a dozen e-mails at once. Returns how they ended, once all have."""
    return world.publish([world.client(f"calm-{world.scheduler.now:.2f}-{n}", habit) for n in range(_EMAILS)])


def _bound(world: World) -> float:
    """How many seconds a message may wait whose receiver has ended."""
    return world.setup.visibility_timeout + 15.0


def _wasted_work(world: World) -> None:
    """Each e-mail is received only once, also if entries of a batch fail and are tried again."""
    world.observer.receives.clear()
    for operation in ("SendMessageBatch", "DeleteMessageBatch"):
        world.nemesis.stage(*[Rule(Fault.PARTIAL_BATCH_FAILURE, operation=operation)] * _FAILING_BATCHES[operation])
    refused = sum(outcome is not PublishOutcome.OK for outcome in _publish(world))
    world.observe("publishes that failed in calm weather", refused, 0)
    world.drain("the drain in calm weather", _bound(world))
    world.observe("receives of an e-mail in calm weather", max(world.observer.receives.values(), default=0), 1)


def _an_outage(world: World) -> None:
    """While S3 cannot be reached, a worker keeps its e-mails in hand, so that they are not received again."""
    world.observer.receives.clear()
    world.nemesis.stage(Rule(Fault.PARTITION, service="s3", seconds=0))
    _publish(world)
    world.scheduler.park(_OUTAGE_TIMEOUTS * world.setup.visibility_timeout)
    world.nemesis.clear()
    world.drain("the drain after an outage of S3", _bound(world))
    world.observe("receives of an e-mail in an outage of S3", max(world.observer.receives.values(), default=0), 1)


def _lost_answers(world: World) -> None:
    """If nobody knows whether SQS has a message, the answer must not say that SQS has not."""
    lost, refused = (Rule(fault, operation="SendMessageBatch") for fault in (Fault.ANSWER_LOST, Fault.UNAVAILABLE))
    for rules in ((lost, lost), (lost, refused)):
        world.nemesis.stage(*rules)
        world.publish([world.client(f"lost-{world.scheduler.now:.2f}", Habit.PATIENT)])
        world.nemesis.clear()


def _no_ssm(world: World) -> None:
    """While SSM cannot be reached, a wrong token is not accepted."""
    world.nemesis.stage(Rule(Fault.PARTITION, service="ssm", seconds=0))
    world.scheduler.park(world.setup.token_cache + 1.0)
    world.publish([world.client(f"intruder-{world.scheduler.now:.2f}", Habit.INTRUDER)])
    world.nemesis.clear()


def _a_stop_in_an_outage(world: World) -> None:
    """A worker that is stopped or killed while S3 cannot be reached loses nothing that it had in hand."""
    world.nemesis.stage(Rule(Fault.PARTITION, service="s3", seconds=0))
    _publish(world)
    world.scheduler.park(1.0)
    for number, instance in enumerate(world.fleet.of(WorkerInstance)):
        world.fleet.stop(instance) if number % 2 else world.fleet.crash(instance)
    world.nemesis.clear()
    world.settle("the workers' return after an end in an outage of S3", _REPLACED_SECONDS)
    world.drain("the drain after an end in an outage of S3", _bound(world))


def _a_rotation(world: World) -> None:
    """Every instance accepts a new token at once, and the old one no longer than it is cached."""
    old = world.token
    holder = world.client(f"old-{world.scheduler.now:.0f}", Habit.PATIENT)
    holder.token = lambda: old
    world.rotate()
    rotated = world.scheduler.now
    world.observe("a rotated token's wait", _until(world, PublishOutcome.OK) - rotated, REFRESH_SECONDS + 2 * _ONE_CALL)
    last_taken = rotated
    while world.scheduler.now - rotated < world.setup.token_cache + 2.0:
        began = world.scheduler.now
        if holder.publish() is PublishOutcome.OK:
            last_taken = began
        world.scheduler.park(2.0)
    world.observe("a replaced token's life", last_taken - rotated, world.setup.token_cache)


def _until(world: World, outcome: PublishOutcome) -> float:
    """The time of the first of three publishes for each instance that all end with `outcome`, in a row."""
    client = world.client(f"new-{world.scheduler.now:.0f}", Habit.PATIENT)
    began = world.scheduler.now
    row = 0
    first = began
    while row < 3 * world.setup.apis and world.scheduler.now - began < _GIVE_UP:
        at = world.scheduler.now
        if client.publish() is outcome:
            first = first if row else at
            row += 1
        else:
            row = 0
            world.scheduler.park(_STEP)
    return first if row else float(_GIVE_UP) + began


def _ends(world: World) -> None:
    """An instance that is stopped ends in time, and an API that ends fails no request."""
    kinds: tuple[tuple[type[Api | WorkerInstance], int], ...] = ((Api, 0), (WorkerInstance, -1))
    for kind, place in kinds:
        instance = world.fleet.of(kind)[place]
        bound = API_STOP_SECONDS + DRAIN_SECONDS if isinstance(instance, Api) else _WORKER_STOP_SECONDS
        ended: list[float] = []
        alone = sum(isinstance(each, type(instance)) for each in world.fleet.instances.values()) == 1

        def stop(instance: object = instance, ended: list[float] = ended) -> None:
            world.scheduler.park(0.02)
            ended.append(world.fleet.stop(instance))  # type: ignore[arg-type]  # one of the fleet's

        world.scheduler.spawn(stop)
        outcomes = _publish(world)
        while not ended:
            world.scheduler.park(_STEP)
        world.observe(f"the stop of {instance.name}", ended[0], bound)
        if isinstance(instance, Api) and not alone:
            failed = sum(each is not PublishOutcome.OK for each in outcomes)
            world.observe("publishes that failed in a drain", failed, 0)
        world.settle(f"the replacement of {instance.name}", _REPLACED_SECONDS)
        world.drain(f"the drain after the stop of {instance.name}", _bound(world))


def _a_deployment(world: World) -> None:
    """While an API is deployed, and nothing else happens, no request fails."""
    client = world.client(f"deployed-{world.scheduler.now:.0f}", Habit.PATIENT)
    began = world.scheduler.now
    world.ecs.deploy("api", Version.GOOD)
    failed = 0
    while not world.ecs.steady and world.scheduler.now - began <= _DEPLOYED_SECONDS:
        failed += client.publish() is not PublishOutcome.OK
        world.scheduler.park(_PROBE_SECONDS)
    world.observe("the deployment of the API", world.scheduler.now - began, _DEPLOYED_SECONDS)
    world.observe("publishes that failed in a deployment", failed, 0)
    world.drain("the drain after a deployment", _bound(world))
