"""Permissions as a whole: who is handed keys, what their calls may do, and what they did."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.ecr_authorization import OF_LAYERS
from sim.aws.iam import web_identity
from sim.aws.iam.needs import Destination, Need, Parameters
from sim.aws.iam.policy import MalformedPolicy
from sim.aws.iam.request import Principal
from sim.aws.model import AwsError as Refusal
from sim.cloud.control_plane.call import AwsError, Values
from sim.cloud.control_plane.iam.backends import (
    Sessions,
    audiences_of,
    begin_session,
    decryption,
    is_of_user,
    policies_of,
    profile_role,
    roles,
    trust_of,
)
from sim.cloud.control_plane.iam.gate import Gate, is_temporary
from sim.cloud.control_plane.iam.passing import Definition, passing
from sim.cloud.control_plane.iam.report import document
from sim.cloud.control_plane.iam.service_sessions import OF_TASKS, ServiceSessions, assumable
from sim.cluster.desired import Desired
from sim.cluster.role_keys import OF_INSTANCE, OF_TASK

Answer = Callable[[Mapping[str, str]], Values]
"""Answers a GET of a path with these variables. Raises AwsError."""


def assumable_by_ecs(role: str, task: str) -> bool:
    """Whether ECS can assume a role for a task, by their ARNs.

    A trust policy that cannot be read holds no task back.
    """
    try:
        return assumable(trust_of(role), role, OF_TASKS, task)
    except MalformedPolicy:
        return True


class Permissions:
    """The gate before all calls, and the keys of tasks and instances. `now` is this machine's time, as keys have it."""

    def __init__(self, desired: Callable[[], Desired], definition: Definition, now: Callable[[], float]) -> None:
        self._definition = definition
        self._now = now
        self._sessions = Sessions()
        self._gate = Gate(self._sessions.find, is_of_user, policies_of, self._beside)
        sessions = ServiceSessions(desired, profile_role, trust_of, begin_session, now)
        self.routes: Mapping[str, Answer] = {
            OF_TASK: sessions.of_task,
            OF_INSTANCE: sessions.of_instance,
            OF_LAYERS: self._layers,
            "/_sim/permissions": self._report,
        }

    def caller(self, account: str, key: str) -> Principal | None:
        """Whose session signs with an access key; None if it is not the key of a session."""
        session = self._sessions.find(account, key) if is_temporary(key) else None
        return session.principal if session else None

    def refusal(self, key: str, call: ApiCall, parameters: Parameters, destination: Destination) -> Refusal | None:
        """The error with which a call is refused that this access key signed; None if it may go on."""
        if call.operation == web_identity.OPERATION:
            return web_identity.refusal(call, parameters, audiences_of, trust_of, self._now())
        return self._gate.check(key, call, parameters, destination)

    def _layers(self, place: Mapping[str, str]) -> Values:
        """Judges and records what Docker does with layers, which the registry keeps and not the control plane."""
        call = ApiCall("ecr", place["operation"], ApiProtocol.JSON)
        destination = Destination(place["region"], place["account"])
        refusal = self.refusal(place["key"], call, {"repositoryName": place["repository"]}, destination)
        if refusal is not None:
            raise AwsError(refusal.code, refusal.message, refusal.status)
        return {}

    def _beside(self, call: ApiCall, parameters: Parameters, destination: Destination) -> list[Need]:
        roles = passing(self._definition, call, parameters, destination)
        return [*roles, *decryption(call, parameters, destination)]

    def _report(self, _: Mapping[str, str]) -> Values:
        try:
            return document(self._gate.usage(roles()))
        except MalformedPolicy as malformed:
            raise AwsError("MalformedPolicyDocument", str(malformed)) from None
