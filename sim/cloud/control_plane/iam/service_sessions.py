"""Sessions that AWS's services begin: ECS those of a task's roles, EC2 those of an instance's role.

A session is handed out until it is about to expire, then the next one is. So whoever asks again, as the SDKs do in the
last minutes of a session, gets keys that hold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sim.aws.iam.evaluate import Policies, decide
from sim.aws.iam.policy import Policy
from sim.aws.iam.request import Request, account_of, context, service
from sim.cloud.control_plane.call import AwsError, Values
from sim.cluster.desired import Desired, DesiredInstance, DesiredTask

OF_TASKS: Final = "ecs-tasks.amazonaws.com"
"""As whom ECS assumes the roles of tasks."""
SESSION_SECONDS: Final = 6 * 3600
"""How long the keys of a task or an instance hold."""
RENEWED_SECONDS: Final = 3600
"""Before a session's end the next one begins. SDKs ask again some 15 minutes before the end."""


@dataclass(frozen=True)
class Credentials:
    """The keys of a session. `expires` is in Unix seconds."""

    role: str
    access_key: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    expires: float

    @property
    def document(self) -> Values:
        """As the agent's endpoint and the instance metadata service return them."""
        return {
            "RoleArn": self.role,
            "AccessKeyId": self.access_key,
            "SecretAccessKey": self.secret,
            "Token": self.token,
            "Expiration": f"{datetime.fromtimestamp(self.expires, UTC):%Y-%m-%dT%H:%M:%SZ}",
        }


def assumable(trust: Policy | None, role: str, host: str, source: str) -> bool:
    """Whether a role trusts a service that acts for a source, by their ARNs; without a trust policy there is no role.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html for the two condition keys.
    """
    keys = {"aws:SourceAccount": account_of(source), "aws:SourceArn": source, "aws:SecureTransport": "true"}
    request = Request(service(host), "sts:AssumeRole", role, account_of(role), context(keys))
    return trust is not None and decide(Policies(resource=trust), request).allowed


Begin = Callable[[str, str, int], Credentials]
"""Begins a session of a role, with a name, for seconds."""


class ServiceSessions:
    """Hands out the keys of sessions."""

    def __init__(
        self,
        desired: Callable[[], Desired],
        profile_role: Callable[[DesiredInstance], str],
        trust: Callable[[str], Policy | None],
        begin: Begin,
        now: Callable[[], float],
    ) -> None:
        """`profile_role` returns the role of an instance's profile, "" without one. `trust` returns a role's trust
        policy, None if there is no such role."""
        self._desired = desired
        self._profile_role = profile_role
        self._trust = trust
        self._begin = begin
        self._now = now
        self._held: dict[tuple[str, str], Credentials] = {}
        self._lock = threading.Lock()

    def of_task(self, place: Mapping[str, str]) -> Values:
        """The keys of a task's role `task` or `execution`. Raises AwsError."""
        task = next((each for each in self._desired().tasks if _is(each, place)), None)
        if task is None:
            raise AwsError("ResourceNotFoundException", f"No task {place['task']} is to run.", 404)
        role = task.role("executionRoleArn" if place["role"] == "execution" else "taskRoleArn")
        if not role:
            raise AwsError("ResourceNotFoundException", f"The task {place['task']} has no {place['role']} role.", 404)
        return self._keys(role, place["task"], OF_TASKS, task.arn)

    def of_instance(self, place: Mapping[str, str]) -> Values:
        """The keys of the role in an instance's profile. Raises AwsError."""
        found = (each for each in self._desired().instances if each.id == place["instance"])
        instance = next(found, None)
        role = self._profile_role(instance) if instance is not None else ""
        if instance is None or not role:
            message = f"The instance {place['instance']} has no instance profile."
            raise AwsError("ResourceNotFoundException", message, 404)
        at = instance.place
        arn = f"arn:aws:ec2:{at.region}:{at.account}:instance/{instance.id}"
        return self._keys(role, instance.id, "ec2.amazonaws.com", arn)

    def _keys(self, role: str, name: str, host: str, source: str) -> Values:
        with self._lock:
            held, now = self._held.get((role, name)), self._now()
            if held is None or held.expires - now < RENEWED_SECONDS:
                self._check_trust(role, host, source)
                self._held = {who: each for who, each in self._held.items() if each.expires > now}
                held = self._held[role, name] = self._begin(role, name, SESSION_SECONDS)
            return held.document

    def _check_trust(self, role: str, host: str, source: str) -> None:
        """Raises AwsError, in ECS's words, if the role does not trust the service."""
        if not assumable(self._trust(role), role, host, source):
            what = "ECS" if host.startswith("ecs") else "EC2"
            raise AwsError(
                "AccessDenied",
                f"{what} was unable to assume the role '{role}' that was provided for {source}. Please verify that the "
                "role exists and has the proper trust relationship.",
                403,
            )


def _is(task: DesiredTask, place: Mapping[str, str]) -> bool:
    return task.arn.endswith(f"/{place['task']}") and task.place.account == place["account"]
