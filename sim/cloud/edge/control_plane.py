"""The edge's talk with the control plane: the desired state, as often as it changes, and the health of instances."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from pydantic import ValidationError

from sim.cloud import desired as route
from sim.cloud.http import ClientConnection, Request, Response, UpstreamLost
from sim.cluster.desired import Desired, DesiredBalancer, DesiredTarget, DesiredTargetGroup
from sim.cluster.target_health import TargetHealth

_LOG: Final = logging.getLogger("edge")
_AGAIN_SECONDS: Final = 1.0
"""After a failure; the local cloud may only just have begun."""
_PATIENCE_SECONDS: Final = route.WAIT_SECONDS + 10.0


class Asking:
    """Requests to the control plane, at HOST and PORT, on one connection that is opened again when it is lost."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._connection: ClientConnection | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> Response:
        """Raises OSError, TimeoutError among them, if there is no answer, also for one that says 4xx or 5xx."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                if self._connection is None or self._connection.closed:
                    loop = asyncio.get_running_loop()
                    _, self._connection = await loop.create_connection(ClientConnection, *self._address)
                host = "{}:{}".format(*self._address)
                headers = [(b"Host", host.encode()), (b"Content-Type", b"application/json")]
                answer = await self._connection.ask(Request(method.encode(), path.encode(), headers, body))
        except UpstreamLost as error:
            raise ConnectionResetError(f"{method} {path}: {error}") from None
        except TimeoutError:
            self.close()
            raise
        if answer.status != HTTPStatus.OK:
            raise ConnectionError(f"{method} {path} was answered with {answer.status}: {answer.body[:500]!r}")
        return answer

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None


async def states(asking: Asking) -> AsyncIterator[Desired]:
    """The desired state as it is, and again whenever it has changed. Never ends."""
    after: int | None = None
    while True:
        try:
            state = route.parsed((await asking.ask("GET", route.path(after))).body)
        except (OSError, ValidationError) as error:
            _LOG.warning("no desired state: %s", error)
            await asyncio.sleep(_AGAIN_SECONDS)
            continue
        if state.revision != after:
            after = state.revision
            yield state


class Reports:
    """Tells the control plane the health of instances. Only the last report about each is sent."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._waiting: dict[str, dict[str, str | int] | None] = {}
        self._wake = asyncio.Event()

    def put(self, balancer: DesiredBalancer, instance: str, health: TargetHealth | None) -> None:
        """The instance has this health now; None if it has drained."""
        place = balancer.place
        path = f"/_sim/{place.account}/{place.region}/elb/{balancer.name}/instances/{instance}/health"
        registrations = {each.id: each.registration for each in balancer.targets}
        self._waiting[path] = None if health is None else _document(health, registrations.get(instance))
        self._wake.set()

    def put_target(self, group: DesiredTargetGroup, target: DesiredTarget | str, health: TargetHealth | None) -> None:
        """The target of a target group has this health now; None, with its id, if it has drained."""
        _, _, _, region, account, name = group.arn.split(":", 5)
        id_ = target if isinstance(target, str) else target.id
        registration = None if isinstance(target, str) else target.registration
        path = f"/_sim/{account}/{region}/elbv2/{name}/targets/{id_}/health"
        self._waiting[path] = None if health is None else _document(health, registration)
        self._wake.set()

    async def send(self) -> None:
        """Sends what there is, as it comes. Never ends."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                path = next(iter(self._waiting))
                await self._send(path, self._waiting.pop(path))

    async def _send(self, path: str, report: dict[str, str | int] | None) -> None:
        try:
            if report is None:
                await self._asking.ask("DELETE", path)
            else:
                await self._asking.ask("PUT", path, json.dumps(report).encode())
        except OSError as error:
            _LOG.warning("no report: %s", error)
            self._waiting.setdefault(path, report)
            await asyncio.sleep(_AGAIN_SECONDS)


def _document(health: TargetHealth, registration: int | None) -> dict[str, str | int]:
    """The report; it is about one registration of the instance, and counts for no later one."""
    about = {} if registration is None else {"Registration": registration}
    return {"State": health.state, "ReasonCode": health.reason_code, "Description": health.description, **about}
