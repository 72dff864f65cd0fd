"""Who may ask: a page of this server, on this machine, with the token of this run. Pure.

Other pages in the same browser can send requests to loopback, too. They do not know the token, their Origin is another,
and one whose own name was made to resolve to loopback sends that name as Host.
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

_NAMES: Final = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Guard:
    """Lets requests in for the port that the server has, with this token."""

    port: int
    token: str

    @property
    def _hosts(self) -> frozenset[str]:
        return frozenset(f"{name}:{self.port}" for name in _NAMES)

    def refusal(self, method: str, host: str, origin: str, token: str, *, public: bool) -> str:
        """Why a request is refused; "" if it is not.

        The arguments are the request's headers, "" for a missing one. What is `public` needs no token: the files of the
        page, which say nothing of the stack. A request that changes something must have an Origin.
        """
        if host not in self._hosts:
            return f"this server is for {' and '.join(sorted(self._hosts))}, not for {host!r}"
        if origin and origin not in {f"http://{each}" for each in self._hosts}:
            return f"a page of {origin!r} may not ask"
        if method not in {"GET", "HEAD"} and not origin:
            return "a request without an Origin may change nothing"
        if not public and not hmac.compare_digest(token.encode(), self.token.encode()):
            return "the token is not that of this run: open the link that `sim watch` has printed"
        return ""
