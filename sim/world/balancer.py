"""The Classic Load Balancer before the API's instances, as far as a client can tell.

https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/ts-elb-error-message.html
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from sim.world.instances import NO_ANSWER, Api, Exchange

if TYPE_CHECKING:
    from random import Random

    from sim.world.virtual_time import WorldRuntime

IDLE_TIMEOUT_SECONDS = 60.0


class Balancer:
    """Routes each request to one of the instances that are registered."""

    def __init__(self, runtime: WorldRuntime, draw: Random) -> None:
        self._runtime = runtime
        self._draw = draw
        self._registered: dict[Api, None] = {}

    def register(self, api: Api) -> None:
        """Lets an instance have requests."""
        self._registered[api] = None

    def deregister(self, api: Api) -> None:
        """No more requests for an instance; those in hand go on."""
        self._registered.pop(api, None)

    def route(self, exchange: Exchange) -> None:
        """Has a request answered: 503 without an instance, 504 when the back end closes or is silent for too long."""
        if not self._registered:
            exchange.end(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        api = self._draw.choice(list(self._registered))
        if not api.listens:
            # Its health check has not failed yet.
            exchange.end(HTTPStatus.GATEWAY_TIMEOUT)
            return
        self._runtime.spawn(lambda: self._forward(api, exchange))

    def _forward(self, api: Api, exchange: Exchange) -> None:
        behind = Exchange(exchange.request, self._runtime.event())
        api.take(behind)
        behind.over.wait(IDLE_TIMEOUT_SECONDS)
        exchange.end(HTTPStatus.GATEWAY_TIMEOUT if behind.status == NO_ANSWER else behind.status, behind.body)
