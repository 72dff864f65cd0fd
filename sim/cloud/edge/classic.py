"""One Classic ELB: its listeners, its nodes, and what it writes down."""

from __future__ import annotations

import itertools
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from sim.cloud.edge.access_log import Seen
from sim.cloud.edge.addresses import Addresses
from sim.cloud.edge.health import Health
from sim.cloud.edge.listener import Listener
from sim.cloud.edge.metrics import Minutes
from sim.cloud.edge.node import Node
from sim.cloud.edge.record import Record
from sim.cloud.edge.sockets import Sockets
from sim.cluster.aws_clock import AwsClock
from sim.cluster.balancer.nodes import Policy
from sim.cluster.desired import DesiredBalancer, DesiredInstance, DesiredListener
from sim.cluster.target_health import RegisteredTarget, TargetHealth

Reporter = Callable[[DesiredBalancer, str, TargetHealth | None], None]
"""Takes the health of an instance; None if it has drained."""


class ClassicBalancer:
    """Carries out what is desired of it, by AWS's clock. `log` takes what is over, if an access log is kept."""

    def __init__(
        self,
        desired: DesiredBalancer,
        clock: AwsClock,
        addresses: Addresses,
        chance: Random,
        report: Reporter,
        log: Callable[[DesiredBalancer, Seen], None],
    ) -> None:
        self.desired = desired
        self._clock = clock
        self.metrics = Minutes()
        self.answered: Counter[int] = Counter()
        """How many requests got each status; 0 stands for no answer, and for connections over TCP."""
        self.listeners: dict[int, Listener] = {}
        self.faults: dict[int, str] = {}
        """Why a listener could not be opened, by its port."""
        self.health = Health(self._policy, desired.check, addresses, self.metrics, chance, self._report)
        self._known: dict[str, RegisteredTarget] = {}
        self._report_health = report
        self._log = log
        self._turn = itertools.count()

    async def update(
        self,
        desired: DesiredBalancer,
        instances: Mapping[str, DesiredInstance],
        sockets: Sockets,
        certificate: Callable[[], ssl.SSLContext],
    ) -> None:
        """Takes what is desired now. An instance that is not running any more keeps its registration."""
        self.desired = desired
        registered = {each.instance: each for each in desired.members}
        known = {id_: target for id_, target in self._known.items() if id_ in registered}
        self._known = known | {
            id_: RegisteredTarget(id_, instances[id_].zone, instances[id_].address, 0)
            for id_ in registered
            if id_ in instances
        }
        self.health.update(self._policy, desired.check, self._known, registered)
        wanted = {each.port: each for each in desired.listeners}
        for port in self.listeners.keys() - wanted.keys():
            self._close(port)
        for port, each in wanted.items():
            await self._listen(port, each, sockets, certificate)

    def close(self) -> None:
        """Ends every listener and connection."""
        for listener in self.listeners.values():
            listener.abort()
        self.health.close()

    @property
    def _policy(self) -> Policy:
        """As it is carried out on this machine: checks come by AWS's clock, and all limits are as declared."""
        policy = self.desired.settings.policy
        interval = self._clock.lasts(policy.check.interval)
        return replace(policy, check=replace(policy.check, interval=interval))

    async def _listen(
        self, port: int, wanted: DesiredListener, sockets: Sockets, certificate: Callable[[], ssl.SSLContext]
    ) -> None:
        """Brings one listener to what is desired. One that speaks another protocol than before is opened anew."""
        listener = self.listeners.get(port)
        if listener is not None and listener.desired.protocol == wanted.protocol:
            listener.desired, listener.settings = wanted, self.desired.settings
            return
        if listener is not None:
            self._close(port)
        listener = Listener(wanted, self.desired.settings, self._next_node, self._ended)
        try:
            await listener.open(sockets, self.desired.name, certificate)
        except OSError as error:
            self.faults[port] = f"{self.desired.name}:{port} cannot listen: {error}"
        else:
            self.faults.pop(port, None)
            self.listeners[port] = listener

    def _close(self, port: int) -> None:
        self.listeners.pop(port).close()

    def _next_node(self) -> Node:
        """DNS gives the nodes in turn."""
        found = list(self.health.nodes.values())
        return found[next(self._turn) % len(found)]

    def _ended(self, record: Record, zone: str, seen: Callable[[], Seen]) -> None:
        self.metrics.request(zone, record)
        self.answered[record.status] += 1
        if self.desired.access_log is not None:
            self._log(self.desired, seen())

    def _report(self, target: str, health: TargetHealth | None) -> None:
        self._report_health(self.desired, target, health)
