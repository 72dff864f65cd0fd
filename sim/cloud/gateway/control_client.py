"""The client of a gateway's control port, for targets."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sim.errors import SimError
from sim.faults.plan import FaultPlan, dump, parse
from sim.host.loopback import NoAnswer, answers, request

_SECONDS = 5


class GatewayFailed(SimError):
    """The gateway did not do what it was asked to."""


@dataclass(frozen=True)
class GatewayState:
    """The plan whose faults hit calls, and the names of the ports that are closed."""

    plan: FaultPlan
    cut: tuple[str, ...]


class GatewayControl:
    """Controls a gateway by the URL of its control port. `name` is the name of one of its ports."""

    def __init__(self, url: str) -> None:
        self.url = url

    def is_ready(self) -> bool:
        """True if the gateway takes calls."""
        return answers(f"{self.url}/ready", seconds=_SECONDS)

    def cut(self, name: str) -> None:
        """Closes a port, and resets its connections."""
        self._post(f"cut/{name}")

    def mend(self, name: str) -> None:
        """Opens a port again."""
        self._post(f"mend/{name}")

    def inject(self, plan: FaultPlan) -> None:
        """Begins with the faults of a plan, in place of those of an earlier one."""
        self._post("plan", dump(plan))

    def clear_faults(self) -> None:
        """Ends all faults of calls."""
        self.inject(FaultPlan())

    def state(self) -> GatewayState:
        """What it does to calls now."""
        shown = self._ask("GET", "state")
        return GatewayState(parse(shown["plan"]), tuple(shown["cut"]))

    def _post(self, path: str, body: str = "") -> None:
        self._ask("POST", path, body.encode())

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        try:
            answer = request(method, f"{self.url}/{path}", seconds=_SECONDS, body=body)
        except NoAnswer as error:
            raise GatewayFailed(f"the gateway does not answer: {error}; see its log") from None
        if answer.status != HTTPStatus.OK:
            raise GatewayFailed(f"the gateway would not {path}: {answer.json()['error']}")
        return answer.json()
