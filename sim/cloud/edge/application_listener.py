"""A listener of an ALB: a listener with rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING

from sim.cloud.edge.access_log import Seen
from sim.cloud.edge.application_exchange import ApplicationExchange
from sim.cloud.edge.listener import Answers, Listener
from sim.cloud.edge.messages import Request
from sim.cloud.edge.node import Node
from sim.cloud.edge.record import Record
from sim.cloud.edge.target_group import TargetGroup
from sim.cluster.balancer import application_answers
from sim.cluster.balancer.classic import Settings
from sim.cluster.balancer.listener_rules import Arrived, ListenerAction, action_for
from sim.cluster.balancer.nodes import Policy
from sim.cluster.desired import DesiredApplicationBalancer, DesiredApplicationListener, DesiredListener

if TYPE_CHECKING:
    from sim.cloud.edge.client import ClientConnection
    from sim.cloud.edge.exchange import Exchange


class ApplicationListener(Listener):
    """Takes connections, and says of each request what the rules make of it. `groups` are by their ARNs."""

    def __init__(
        self,
        application: DesiredApplicationListener,
        balancer: DesiredApplicationBalancer,
        groups: Mapping[str, TargetGroup],
        chance: Random,
        next_node: Callable[[], Node],
        ended: Callable[[Record, str, Callable[[], Seen]], None],
    ) -> None:
        protocol = application.protocol
        super().__init__(
            # The ports of its targets are their own.
            DesiredListener(protocol, application.port, protocol, 0, application.certificate),
            Settings(Policy(balancer.zones), balancer.idle_timeout, balancer.desync),
            next_node,
            ended,
        )
        self.application = application
        self.groups = groups
        self.chance = chance

    @property
    def answers(self) -> Answers:
        """See Listener."""
        return application_answers

    def become(self, other: Listener) -> None:
        """See Listener."""
        super().become(other)
        if isinstance(other, ApplicationListener):
            self.application, self.groups = other.application, other.groups

    def action(self, request: Arrived) -> ListenerAction:
        """What the rules say of a request."""
        return action_for(self.application.rules, self.application.default, request)

    def exchange(
        self, client: ClientConnection, node: Node, request: Request, began: float, *, closes: bool
    ) -> Exchange:
        """See Listener."""
        return ApplicationExchange(self, client, node, request, began, closes=closes)
