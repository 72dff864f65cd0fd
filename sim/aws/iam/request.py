"""What policies judge: who asks for which action on which resource, and the context of the request.

[Guide] reference_policies_elements_principal, reference_policies_condition-keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

_ACCOUNT = 4
"""The part of an ARN that is the account."""


class PrincipalKind(Enum):
    """The kind of a principal, by its key in a policy's Principal element."""

    AWS = "AWS"
    SERVICE = "Service"
    FEDERATED = "Federated"
    CANONICAL_USER = "CanonicalUser"


@dataclass(frozen=True)
class Principal:
    """Who makes a request.

    `name` is the ARN of a user or of a role's session, the host name of a service, the ARN of an identity provider, or
    `*` for a request that nobody signed. `role` is the ARN of the role if the principal is a session of one.
    """

    kind: PrincipalKind
    name: str
    role: str = ""

    @property
    def account(self) -> str:
        """The account's twelve digits; empty if the principal is in none."""
        return account_of(self.name) if self.kind is PrincipalKind.AWS else ""

    @property
    def identity(self) -> str:
        """What aws:PrincipalArn has: the ARN of the user, or of the role and not of its session."""
        return self.role or self.name


ANONYMOUS = Principal(PrincipalKind.AWS, "*")


def session(role: str, name: str) -> Principal:
    """The session of a role, by the role's ARN. A session's ARN leaves out the role's path."""
    partition = role.split(":")[1]
    role_name = role.rpartition("/")[2]
    arn = f"arn:{partition}:sts::{account_of(role)}:assumed-role/{role_name}/{name}"
    return Principal(PrincipalKind.AWS, arn, role)


def user(arn: str) -> Principal:
    """An IAM user by its ARN."""
    return Principal(PrincipalKind.AWS, arn)


def service(host: str) -> Principal:
    """A service of AWS, such as `ecs-tasks.amazonaws.com`."""
    return Principal(PrincipalKind.SERVICE, host)


def federated(provider: str) -> Principal:
    """Who shows a token of an identity provider, by the provider's ARN."""
    return Principal(PrincipalKind.FEDERATED, provider)


def account_of(arn: str) -> str:
    """The account in an ARN; empty if the ARN has none, as those of S3."""
    parts = arn.split(":")
    return parts[_ACCOUNT] if len(parts) > _ACCOUNT else ""


@dataclass(frozen=True)
class Context:
    """The condition keys of a request with their values. Names of keys are in lower case, in alphabetical order."""

    items: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @cached_property
    def _values(self) -> dict[str, tuple[str, ...]]:
        return dict(self.items)

    def values(self, key: str) -> tuple[str, ...]:
        """The values of a key, whose name may be in any case; none if the request does not have it."""
        return self._values.get(key.lower(), ())

    def single(self, key: str) -> str | None:
        """The value of a key with one value."""
        values = self.values(key)
        return values[0] if len(values) == 1 else None


def context(keys: Mapping[str, str | Sequence[str]]) -> Context:
    """The context with these keys. A key without values is as good as absent."""
    read = {key.lower(): (value,) if isinstance(value, str) else tuple(value) for key, value in keys.items()}
    return Context(tuple(sorted((key, values) for key, values in read.items() if values)))


@dataclass(frozen=True)
class Request:
    """One action on one resource. `account` is that of the resource, which the ARNs of S3 do not have."""

    principal: Principal
    action: str
    resource: str
    account: str
    context: Context = Context()
