"""A request to an ALB: its rules decide about it, and a target group's node carries it."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING

from sim.cloud.edge import forwarding
from sim.cloud.edge.arrived import arrived
from sim.cloud.edge.exchange import Exchange
from sim.cloud.edge.messages import Request, Response
from sim.cluster.balancer import application_answers, stickiness
from sim.cluster.balancer.answers import OwnAnswer
from sim.cluster.balancer.listener_rules import FixedResponse, Redirect, group_for
from sim.cluster.balancer.request_tracing import traced
from sim.cluster.balancer.stickiness import Stickiness

if TYPE_CHECKING:
    from sim.cloud.edge.application_listener import ApplicationListener
    from sim.cloud.edge.client import ClientConnection
    from sim.cloud.edge.node import Node
    from sim.cloud.edge.target_group import TargetGroup

_FORWARDED_FOR = b"x-forwarded-for"
_TRACE = b"x-amzn-trace-id"


class ApplicationExchange(Exchange):
    """See Exchange. `node` is the one that the client came to; that of a target group in the same zone takes over."""

    def __init__(
        self,
        listener: ApplicationListener,
        client: ClientConnection,
        node: Node,
        request: Request,
        began: float,
        *,
        closes: bool,
    ) -> None:
        super().__init__(client, node, request, began, closes=closes)
        self._listener = listener
        self._front = node
        self._group: TargetGroup

    def start(self) -> None:
        """Does what the rules say of the request."""
        if too_much := self._too_much():
            self.refuse(too_much)
            return
        asked = arrived(self._request, self._client.described)
        match self._listener.action(asked):
            case FixedResponse() as fixed:
                self.record.action = "fixed-response"
                self.refuse(application_answers.fixed(fixed))
            case Redirect() as redirect:
                self.record.action = "redirect"
                self.refuse(application_answers.redirected(redirect, asked))
            case forward:
                self.record.action = "forward"
                self._forward(group_for(forward, self._listener.chance))

    def client_lost(self) -> None:
        """See Exchange."""
        if not self.has_answer:
            self.record.refused(application_answers.CLIENT_LEFT)
        super().client_lost()

    def _too_much(self) -> OwnAnswer | None:
        lines = self._request.fields.lines
        longest = max((len(name) + len(value) for name, value in lines), default=0)
        addresses = sum(len(each.split(b",")) for each in self._request.fields.values(_FORWARDED_FOR))
        return application_answers.too_large(len(self.head.target), longest) or application_answers.forwarded_too_often(
            addresses
        )

    def _forward(self, arn: str) -> None:
        self.record.group = arn
        group = self._listener.groups.get(arn)
        node = group.node_in(self._front.zone) if group is not None else None
        if group is None or node is None:
            self.refuse(application_answers.nowhere())
            return
        self._group, self._node = group, node
        self._stickiness = group.desired.settings.stickiness
        before = b";".join(self._request.fields.values(_TRACE)).decode("latin-1")
        trace = traced(before, time.time(), secrets.token_hex(12))
        self._write(forwarding.to_target(self._request, self._client.described, trace.encode("latin-1")))
        self._route()

    def _route(self) -> None:
        node = self._node
        if not node.targets:
            self.refuse(application_answers.nowhere())
            return
        self.record.chosen = True
        sticky = self._bound_to(self._stickiness) if self._stickiness else None
        self._send_to(sticky or self._group.choose(node, asyncio.get_running_loop().time()))

    def _port_of(self, target: str) -> tuple[int, bool]:
        return int(target.rpartition(":")[2]), self._group.desired.protocol == "HTTPS"

    def _unconnected(self, _target: str, error: OSError) -> None:
        self._front.metrics.connection_failed(self._front.zone)
        self.refuse(application_answers.unconnected(timed_out=isinstance(error, TimeoutError)))

    def _cookies(self, head: Response, policy: Stickiness) -> tuple[str, ...]:
        return stickiness.renewed(policy, self._target, forwarding.cookies_set(head), time.time())
