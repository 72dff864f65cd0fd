"""Whether a token of an identity provider, such as GitHub's, may begin a session of a role.

The provider has to be registered with the token's audience, the token has to hold, and the role's trust policy has to
allow it by the provider's ARN and by claims of the token: `aud` and `sub`. The signature is not checked, since the
provider's keys are in no account.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
[Guide] reference_policies_iam-condition-keys (`condition-keys-wif`), id_roles_providers_create_oidc.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sim.aws.api_call import ApiCall
from sim.aws.iam.denial import denial
from sim.aws.iam.evaluate import Policies, decide
from sim.aws.iam.needs import Parameters
from sim.aws.iam.policy import Policy
from sim.aws.iam.request import Request, account_of, context, federated
from sim.aws.model import AwsError

OPERATION = "AssumeRoleWithWebIdentity"
_ACTION = f"sts:{OPERATION}"
_PARTS = 3
"""Of a token: a header, the claims, a signature."""


@dataclass(frozen=True)
class Claims:
    """What is read of a token. `issuer` has no scheme, as in the ARN of a provider; `expires` is in Unix seconds."""

    issuer: str
    subject: str
    audience: str
    expires: float


def refusal(
    call: ApiCall,
    parameters: Parameters,
    audiences: Callable[[str, str], Collection[str] | None],
    trust: Callable[[str], Policy | None],
    now: float,
) -> AwsError | None:
    """The error with which STS answers; None if the session may begin.

    `audiences` returns those of an account's provider by account and issuer, None if there is no such provider.
    `trust` returns the trust policy of a role, None if there is no such role.
    """
    claims = _claims(str(parameters.get("WebIdentityToken") or ""))
    if claims is None:
        return AwsError("InvalidIdentityToken", "The ID Token provided is not a valid JWT.", 400)
    role = str(parameters.get("RoleArn") or "")
    known = audiences(account_of(role), claims.issuer)
    if known is None:
        message = f"No OpenIDConnect provider found in your account for https://{claims.issuer}"
        return AwsError("InvalidIdentityToken", message, 400)
    if claims.audience not in known:
        return AwsError("InvalidIdentityToken", "Incorrect token audience", 400)
    if claims.expires <= now:
        message = f"Token expired: current date/time {now:.0f} must be before the expiration date/time"
        return AwsError("ExpiredTokenException", f"{message} {claims.expires:.0f}", 400)
    return _untrusted(call, role, str(parameters.get("RoleSessionName") or ""), claims, trust(role))


def _untrusted(call: ApiCall, role: str, name: str, claims: Claims, trust: Policy | None) -> AwsError | None:
    provider = f"arn:aws:iam::{account_of(role)}:oidc-provider/{claims.issuer}"
    keys = {
        f"{claims.issuer}:aud": claims.audience,
        f"{claims.issuer}:sub": claims.subject,
        "aws:FederatedProvider": provider,
        "aws:SecureTransport": "true",
        "sts:RoleSessionName": name,
    }
    request = Request(federated(provider), _ACTION, role, account_of(role), context(keys))
    decision = decide(Policies(resource=trust), request)
    return None if decision.allowed else denial(call, request, decision)


def _claims(token: str) -> Claims | None:
    """None if it is no token, or if a claim is missing."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return None
    try:
        found = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        issuer = str(found["iss"]).removeprefix("https://")
        return Claims(issuer, str(found["sub"]), str(found["aud"]), float(found["exp"]))
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
