"""Judges calls before LocalStack answers them.

Only sessions of roles are judged. Whoever signs with the number of an account is its root user, whom no policy limits.
An operation of which it is not known what it needs passes, and is counted as not judged.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from sim.aws.api_call import ApiCall
from sim.aws.iam.denial import denial
from sim.aws.iam.evaluate import Policies, decide
from sim.aws.iam.needs import Destination, Need, Parameters
from sim.aws.iam.operations import needs_of
from sim.aws.iam.policy import MalformedPolicy
from sim.aws.iam.request import Principal, Request, account_of, context
from sim.aws.model import AwsError
from sim.cloud.control_plane.call import Values

_TEMPORARY = ("ASIA", "LSIA")
"""How AWS's keys of sessions begin, and LocalStack's."""
_decide = lru_cache(maxsize=65_536)(decide)


@dataclass(frozen=True)
class Session:
    """A session of a role, and the session policy that it was begun with."""

    principal: Principal
    policy: str | None = None


class Gate:
    """Judges the calls of sessions, and counts them by role, operation and end."""

    def __init__(
        self,
        session: Callable[[str, str], Session | None],
        policies: Callable[[Session, Request], Policies],
    ) -> None:
        """`session` finds the session of a key in an account; `policies` finds all that have a say in a request."""
        self._session = session
        self._policies = policies
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def check(self, key: str, call: ApiCall, parameters: Parameters, destination: Destination) -> AwsError | None:
        """The error with which a call has to be refused; None if it may go on."""
        session = self._session(destination.account, key) if key.startswith(_TEMPORARY) else None
        if session is None:
            return None
        needs = needs_of(call.service, call.operation, parameters, destination)
        error = None if needs is None else self._first_denial(session, call, needs, destination)
        end = "not judged" if needs is None else "allowed" if error is None else "denied"
        with self._lock:
            self._counts[session.principal.identity, f"{call.service}:{call.operation}", end] += 1
        return error

    def report(self) -> Values:
        """How many calls each role made, by operation and end: `allowed`, `denied` or `not judged`."""
        with self._lock:
            counts = sorted(self._counts.items())
        return {
            "calls": [
                {"role": role, "operation": operation, "end": end, "calls": count}
                for (role, operation, end), count in counts
            ]
        }

    def _first_denial(
        self, session: Session, call: ApiCall, needs: list[Need], destination: Destination
    ) -> AwsError | None:
        for need in needs:
            request = _request(session.principal, need, destination)
            try:
                decision = _decide(self._policies(session, request), request)
            except MalformedPolicy as malformed:
                return AwsError("MalformedPolicyDocument", str(malformed))
            if not decision.allowed:
                return denial(call, request, decision)
        return None


def _request(principal: Principal, need: Need, destination: Destination) -> Request:
    """A request with the condition keys that every call has. Calls count as sent by TLS, as they are in production.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    keys = {
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalArn": principal.identity,
        "aws:PrincipalType": "AssumedRole",
        "aws:RequestedRegion": destination.region,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        **need.keys,
    }
    return Request(
        principal, need.action, need.resource, account_of(need.resource) or destination.account, context(keys)
    )
