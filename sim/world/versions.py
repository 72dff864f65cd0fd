"""The versions that a world deploys: the services as they are, and three that no service should be."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from sim.world.instances import Api

if TYPE_CHECKING:
    from sim.world.instances import Exchange


class Version(StrEnum):
    """What a deployment brings."""

    GOOD = "good"
    NEVER_HEALTHY = "never healthy"
    """It works, but its health check fails from the first to the last."""
    CRASHES = "crashes after a while"
    LIES = "its check lies"
    """Its health check passes, and every request fails with 500. An API's only."""


class NeverHealthyApi(Api):
    """Fails its health check."""

    def check(self) -> int | None:
        return HTTPStatus.SERVICE_UNAVAILABLE if self.listens else None


class LyingApi(Api):
    """Passes its health check, and does nothing else."""

    def check(self) -> int | None:
        return HTTPStatus.OK if self.listens else None

    def take(self, exchange: Exchange) -> None:
        exchange.end(HTTPStatus.INTERNAL_SERVER_ERROR)


APIS: dict[Version, type[Api]] = {
    Version.GOOD: Api,
    Version.NEVER_HEALTHY: NeverHealthyApi,
    Version.CRASHES: Api,
    Version.LIES: LyingApi,
}
OF_ROLE = {"api": tuple(Version), "worker": (Version.GOOD, Version.NEVER_HEALTHY, Version.CRASHES)}
