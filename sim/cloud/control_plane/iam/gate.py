"""Judges calls before LocalStack answers them.

Only sessions of roles are judged. Whoever signs with the number of an account is its root user, whom no policy limits.
A key that looks like one of AWS's, and that nobody issued here, is refused.
An operation of which it is not known what it needs passes, and is recorded as such.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sim.aws.api_call import ApiCall
from sim.aws.errors import unknown_key
from sim.aws.iam.denial import denial
from sim.aws.iam.evaluate import Policies
from sim.aws.iam.needs import Destination, Need, Parameters
from sim.aws.iam.operations import needs_of
from sim.aws.iam.policy import MalformedPolicy, Policy
from sim.aws.iam.recording import Judgement, Recording, judgement
from sim.aws.iam.request import Principal, Request, account_of, context
from sim.aws.iam.usage import RoleUsage, usage
from sim.aws.model import AwsError

_TEMPORARY = ("ASIA", "LSIA")
"""How AWS's keys of sessions begin, and LocalStack's."""
_OF_AWS = ("AKIA", "ASIA")
"""How AWS's keys of users and of sessions begin."""
_judgement = lru_cache(maxsize=65_536)(judgement)


@dataclass(frozen=True)
class Session:
    """A session of a role, and the session policy that it was begun with."""

    principal: Principal
    policy: str | None = None


class Gate:
    """Judges the calls of sessions, and records them."""

    def __init__(
        self,
        session: Callable[[str, str], Session | None],
        of_user: Callable[[str, str], bool],
        policies: Callable[[Session, Request], Policies],
        beside: Callable[[ApiCall, Parameters, Destination], list[Need]],
    ) -> None:
        """`session` finds the session of a key in an account, and `of_user` says whether it is the key of a user there.

        `policies` finds all that have a say in a request. `beside` returns what a call needs beside its own actions,
        because of what is there already.
        """
        self._session = session
        self._of_user = of_user
        self._policies = policies
        self._beside = beside
        self._recording = Recording()
        self._lock = threading.Lock()

    def check(self, key: str, call: ApiCall, parameters: Parameters, destination: Destination) -> AwsError | None:
        """The error with which a call has to be refused; None if it may go on."""
        session = self._session(destination.account, key) if is_temporary(key) else None
        if session is None:
            invented = key.startswith(_OF_AWS) and not self._of_user(destination.account, key)
            return unknown_key(call) if invented else None
        needs = needs_of(call.service, call.operation, parameters, destination)
        if needs is not None:
            needs = [*needs, *self._beside(call, parameters, destination)]
        try:
            judgements = None if needs is None else [self._judged(session, need, destination) for need in needs]
        except MalformedPolicy as malformed:
            return AwsError("MalformedPolicyDocument", str(malformed))
        with self._lock:
            self._recording.note(session.principal.identity, f"{call.service}:{call.operation}", judgements)
        denied = next((each for each in judgements or () if not each.decision.allowed), None)
        return None if denied is None else denial(call, denied.judged.request, denied.decision)

    def usage(self, roles: Mapping[str, Sequence[Policy]]) -> tuple[RoleUsage, ...]:
        """What each role may do, by its identity policies, beside what it did."""
        with self._lock:
            calls = self._recording.calls
        return usage(roles, calls)

    def _judged(self, session: Session, need: Need, destination: Destination) -> Judgement:
        request = _request(session.principal, need, destination)
        return _judgement(self._policies(session, request), request)


def is_temporary(key: str) -> bool:
    """True for the access key of a session, which STS gave."""
    return key.startswith(_TEMPORARY)


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
