"""The tokens of ECR's GetAuthorizationToken: who gets one is known by it, until it expires.

AWS says what a token is for, how long it lasts and how Docker sends it, and not what is inside. Here it is the account,
the region, the moment at which it expires and the access key of whoever asked for it, signed with a secret that the
control plane and the registry share.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import quote

SECONDS: Final = 12 * 60 * 60
"""How long a token is valid."""

OF_LAYERS: Final = "/_sim/<account>/<region>/ecr/<key>/<operation>/<path:repository>"
"""Where the control plane says whether the caller with a key may do an operation of ECR with layers of a repository."""

_USER: Final = "AWS"
_ADDRESS: Final = "SIM_REGISTRY_ADDRESS"
_SECRET: Final = "SIM_REGISTRY_SECRET"  # noqa: S105 - the name of a variable


@dataclass(frozen=True)
class RegistryAccess:
    """Where Docker reaches the registry, as host and port, and the secret that signs its tokens."""

    address: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self | None:
        """What the environment says; None if there is no registry."""
        address, secret = environ.get(_ADDRESS), environ.get(_SECRET)
        return cls(address, secret) if address and secret else None

    def environment(self) -> dict[str, str]:
        """As variables that `of` reads."""
        return {_ADDRESS: self.address, _SECRET: self.secret}


@dataclass(frozen=True)
class PrivateRegistry:
    """AWS has one registry for each account and region."""

    account: str
    region: str


@dataclass(frozen=True)
class Login:
    """A registry, and the access key of whoever asked for a token of it: what Docker does is judged as its doing."""

    registry: PrivateRegistry
    key: str

    def of_layers(self, operation: str, repository: str) -> str:
        """The path of `OF_LAYERS` for one question."""
        return f"/_sim/{self.registry.account}/{self.registry.region}/ecr/{self.key}/{operation}/{quote(repository)}"


class NotAuthorized(Exception):
    """A request has no token, or one that was not issued here."""


class TokenExpired(Exception):
    """A token was valid once."""


def issue(login: Login, expires: int, secret: str) -> str:
    """An authorization token, which expires at a Unix time: base64 of `AWS:PASSWORD`, as Docker sends it."""
    claims = f"{login.registry.account}.{login.registry.region}.{expires}.{login.key}"
    return base64.b64encode(f"{_USER}:{claims}.{_signature(claims, secret)}".encode()).decode()


def login_of(authorization: str, now: float, secret: str) -> Login:
    """Whose the `Authorization` header of a request is. Raises NotAuthorized or TokenExpired."""
    scheme, _, token = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(token, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise NotAuthorized from None
    claims, _, signature = password.rpartition(".")
    if scheme.lower() != "basic" or user != _USER or not hmac.compare_digest(signature, _signature(claims, secret)):
        raise NotAuthorized
    account, region, expires, key = claims.split(".")
    if int(expires) <= now:
        raise TokenExpired
    return Login(PrivateRegistry(account, region), key)


def _signature(claims: str, secret: str) -> str:
    return hmac.new(secret.encode(), claims.encode(), hashlib.sha256).hexdigest()
