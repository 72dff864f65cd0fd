"""How a target steers its gateway."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from sim.errors import SimError
from sim.faults.plan import Plan, dump

_SECONDS = 5


class GatewayFailed(SimError):
    """The gateway did not do what it was asked to."""


class Steering:
    """A gateway, by the URL of its control port. `name` is that of one of its ports."""

    def __init__(self, url: str) -> None:
        self._url = url

    def is_ready(self) -> bool:
        """Whether it takes calls."""
        try:
            with urllib.request.urlopen(f"{self._url}/ready", timeout=_SECONDS):  # noqa: S310 - ours
                return True
        except OSError:
            return False

    def cut(self, name: str) -> None:
        """Closes a port, and resets its connections."""
        self._post(f"cut/{name}")

    def mend(self, name: str) -> None:
        """Opens it again."""
        self._post(f"mend/{name}")

    def act(self, plan: Plan) -> None:
        """Begins with the faults of a plan, in place of those of an earlier one."""
        self._post("plan", dump(plan))

    def rest(self) -> None:
        """Ends all faults of calls."""
        self.act(Plan())

    def _post(self, path: str, body: str = "") -> None:
        request = urllib.request.Request(f"{self._url}/{path}", body.encode(), method="POST")  # noqa: S310 - ours
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
                return
        except urllib.error.HTTPError as refused:
            with refused:
                raise GatewayFailed(f"the gateway would not {path}: {json.load(refused)['error']}") from None
        except OSError as error:
            raise GatewayFailed(f"the gateway at {self._url} was asked for {path}: {error}; see its log") from None
