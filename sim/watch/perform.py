"""Does what the page asks for, by the same functions as the command line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sim.cloud.gateway.control_client import GatewayControl
from sim.errors import SimError
from sim.faults.plan import Rule
from sim.stack.lifecycle import NoCluster, NoPipeline, Stack, with_new_services
from sim.targets import nat_gateway
from sim.targets.cluster_acts import Acts
from sim.targets.deployment import LocalDeployment
from sim.targets.target import CALLS, PORTS, SERVICES, Progress, port
from sim.watch import containers
from sim.watch.detail import NoSuchTask
from sim.watch.draw import rule_name
from sim.watch.wanted import (
    Activate,
    BadAct,
    BringBack,
    Cut,
    Deploy,
    Drain,
    EndFault,
    Inject,
    LoseInstance,
    LoseNat,
    LoseTask,
    LoseZone,
    Mend,
    OfCalls,
    OfCluster,
    OfContainers,
    OfPipeline,
    PauseTask,
    Restore,
    ResumeTask,
    Scale,
    StartTask,
    StopTask,
    Wanted,
)


class Busy(SimError):
    """A deployment goes on, and there can be one at a time."""


class Performer:
    """Performs acts on the stack that `find` returns. `deployment` makes what deploys to it."""

    def __init__(self, find: Callable[[], Stack], deployment: Callable[[Progress], LocalDeployment]) -> None:
        self._find = find
        self._deployment = deployment
        self._deploying = threading.Lock()

    def perform(self, wanted: Wanted, progress: Progress) -> str:
        """Does it, and returns what was done. Raises SimError, ReleaseError, or what boto3 raises."""
        stack = self._find()
        if stack.project and isinstance(wanted, OfCalls | OfPipeline):
            raise NoPipeline(f"the running stack is of another project, and {wanted.act} is for the pipeline's")
        if isinstance(wanted, OfCalls):
            return _on_calls(wanted, GatewayControl(stack.gateway))
        if stack.containers and isinstance(wanted, OfContainers):
            return containers.act(wanted, _service_of(stack, wanted.task))
        if stack.cluster is None:
            raise NoCluster(f"the running stack has no cluster, which {wanted.act} needs")
        acts = with_new_services(stack, stack.cluster).acts(stack.endpoint)
        match wanted:
            case Deploy():
                return self._deploy(wanted, progress)
            case LoseNat():
                return f"lost the NAT gateway, which cuts off {', '.join(nat_gateway.lose(acts))}"
            case StartTask() | PauseTask() | ResumeTask():
                raise BadAct(
                    f"{wanted.act} is for containers without a cluster; ECS starts a task in place of one that ends"
                )
        return _on_cluster(wanted, acts)

    def _deploy(self, wanted: Deploy, progress: Progress) -> str:
        with self._alone():
            return str(self._deployment(progress).deploy(wanted.service, wanted.version or None))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._deploying.acquire(blocking=False):
            raise Busy("a deployment goes on; wait until it has ended")
        try:
            yield
        finally:
            self._deploying.release()


def _service_of(stack: Stack, task: str) -> str:
    """The name in the engine of a service's container. LocalStack and the gateway are no tasks."""
    if task not in SERVICES:
        raise NoSuchTask(f"there is no task {task!r}; there are: {', '.join(SERVICES)}")
    return stack.containers[task]


def _on_cluster(wanted: OfCluster, acts: Acts) -> str:  # noqa: PLR0911 - one for each act
    match wanted:
        case LoseTask(task=task):
            acts.lose_task(task)
            return f"killed task {task}"
        case StopTask(task=task):
            acts.stop_task(task)
            return f"stopped task {task}"
        case LoseInstance(instance=instance):
            acts.lose_instance(instance)
            return f"cut instance {instance} off"
        case BringBack(instance=instance):
            acts.bring_back(instance)
            return f"brought instance {instance} back"
        case LoseZone(zone=zone):
            return f"cut off all of {zone}: {', '.join(acts.lose_zone(zone))}"
        case Drain(instance=instance):
            acts.drain(instance)
            return f"began to drain instance {instance}"
        case Activate(instance=instance):
            acts.activate(instance)
            return f"instance {instance} takes tasks again"
        case Restore():
            acts.restore()
            return "ended all losses and drains"
        case Scale(service=service, count=count):
            acts.service(service).scale(count)
            return f"scaled {service} to {count}"
    raise BadAct(f"there is no act {wanted!r}")


def _on_calls(wanted: OfCalls, gateway: GatewayControl) -> str:
    match wanted:
        case Inject(fault=rule):
            plan = gateway.state().plan
            others = tuple(each for each in plan.rules if rule_name(each) != rule_name(rule))
            gateway.inject(replace(plan, rules=(*others, rule)))
            return f"injected {rule_name(rule)}"
        case EndFault(rule=name):
            plan = gateway.state().plan
            gateway.inject(replace(plan, rules=_without(plan.rules, name)))
            return f"ended {name}"
        case Cut(caller=caller, aws=aws):
            if aws not in CALLS[caller]:
                raise BadAct(f"the {caller} does not call {aws}; it calls {', '.join(CALLS[caller])}")
            gateway.cut(port(caller, aws))
            return f"cut the {caller} off from {aws.upper()}"
        case Mend(port=name):
            if name not in PORTS:
                raise BadAct(f"there is no port {name!r}; there are {', '.join(PORTS)}")
            gateway.mend(name)
            return f"ended the cut of {name}"
    raise BadAct(f"there is no act {wanted!r}")


def _without(rules: tuple[Rule, ...], name: str) -> tuple[Rule, ...]:
    left = tuple(each for each in rules if rule_name(each) != name)
    if len(left) == len(rules):
        raise BadAct(f"no fault {name!r} acts; there are: {', '.join(map(rule_name, rules)) or 'none'}")
    return left
