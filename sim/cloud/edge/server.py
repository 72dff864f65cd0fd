"""The edge as a whole: it makes of the desired state what there is."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, Final

from sim.cloud.edge.access_log import Seen
from sim.cloud.edge.addresses import Addresses
from sim.cloud.edge.application import ApplicationBalancer
from sim.cloud.edge.classic import ClassicBalancer, Reporter
from sim.cloud.edge.sockets import Sockets
from sim.cloud.edge.target_group import GroupReporter
from sim.cluster.aws_clock import THIS_MACHINES
from sim.cluster.desired import Desired, DesiredBalancer, DesiredInstance, Place

_LOG: Final = logging.getLogger("edge")

Name = tuple[Place, str]


class Edge:
    """All load balancers. `report` takes the health of instances, `report_target` that of an ALB's targets.

    `log` takes what is for an access log.
    """

    def __init__(
        self,
        sockets: Sockets,
        certificate: Callable[[], ssl.SSLContext],
        chance: Random,
        report: Reporter,
        log: Callable[[DesiredBalancer, Seen], None],
        report_target: GroupReporter,
    ) -> None:
        self.balancers: dict[Name, ClassicBalancer] = {}
        self.applications: dict[str, ApplicationBalancer] = {}
        """The ALBs, by their ARNs."""
        self.desired: Desired | None = None
        self._addresses = Addresses()
        self._sockets = sockets
        self._certificate = certificate
        self._chance = chance
        self._report = report
        self._log = log
        self._report_target = report_target
        self.clock = THIS_MACHINES
        self._known = asyncio.Event()

    async def update(self, desired: Desired) -> None:
        """Takes a new state."""
        self.desired = desired
        self.clock = desired.clock
        self._known.set()
        silent = self._addresses.update(desired)
        instances = {each.id: each for each in desired.instances}
        wanted = {(each.place, each.name): each for each in desired.balancers}
        for name in self.balancers.keys() - wanted.keys():
            self.balancers.pop(name).close()
        for name, each in wanted.items():
            balancer = self.balancers.get(name)
            if balancer is None:
                balancer = ClassicBalancer(each, desired.clock, self._addresses, self._chance, self._report, self._log)
                self.balancers[name] = balancer
            await balancer.update(each, instances, self._sockets, self._certificate)
            for instance in silent:
                balancer.health.silence(instance)
        await self._update_applications(desired, instances)
        for instance in silent:
            for application in self.applications.values():
                application.silence(instance)
        for served in self.all():
            for fault in served.listeners.faults.values():
                _LOG.error("%s", fault)

    async def _update_applications(self, desired: Desired, instances: Mapping[str, DesiredInstance]) -> None:
        wanted = {each.arn: each for each in desired.applications}
        for arn in self.applications.keys() - wanted.keys():
            self.applications.pop(arn).close()
        for arn, each in wanted.items():
            if arn not in self.applications:
                self.applications[arn] = ApplicationBalancer(
                    each, desired.clock, self._addresses, self._chance, self._report_target
                )
            await self.applications[arn].update(each, instances, self._sockets, self._certificate)

    def all(self) -> list[ClassicBalancer | ApplicationBalancer]:
        """Every load balancer, Classic ELBs and ALBs."""
        return [*self.balancers.values(), *self.applications.values()]

    async def known(self) -> None:
        """Returns once there is a state, and AWS's clock with it."""
        await self._known.wait()

    async def follow(self, states: Any) -> None:
        """Takes every state that there is."""
        async for state in states:
            await self.update(state)

    def close(self) -> None:
        """Ends everything."""
        for balancer in self.all():
            balancer.close()
        self.balancers.clear()
        self.applications.clear()


def listeners(balancers: Iterable[ClassicBalancer | ApplicationBalancer]) -> list[dict[str, Any]]:
    """Every listener and where it listens, as the control port shows it: the last address is the host's."""
    return [
        {
            "load_balancer": balancer.desired.name,
            "account": balancer.desired.place.account,
            "region": balancer.desired.place.region,
            "dns_name": balancer.desired.dns_name,
            "protocol": listener.desired.protocol,
            "port": port,
            "addresses": [f"{host}:{number}" for host, number in listener.addresses],
        }
        for balancer in balancers
        for port, listener in sorted(balancer.listeners.open.items())
    ]


def answered(edge: Edge) -> dict[str, Mapping[int, int]]:
    """How many requests got each status, as the control port shows it; the status 0 stands for no answer.

    Of each Classic ELB by its name, of each ALB and of each of its target groups by its ARN.
    """
    found: dict[str, Mapping[int, int]] = {each.desired.name: each.answered for each in edge.balancers.values()}
    for arn, application in edge.applications.items():
        found[arn] = application.answered
        found |= {of: group.answered for of, group in application.groups.items()}
    return found
