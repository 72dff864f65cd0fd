"""Which tokens of an identity provider begin a session, and AWS's errors for the others."""

from __future__ import annotations

from typing import Any

import pytest

from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.iam.policy import PolicyKind, parse
from sim.aws.iam.web_identity import OPERATION, refusal
from sim.aws.model import AwsError
from tests.github_tokens import AUDIENCE, ISSUER, encoded

ROLE = "arn:aws:iam::111122223333:role/deploy"
NOW = 1_700_000_000.0
CLAIMS = {
    "iss": f"https://{ISSUER}",
    "sub": "repo:o/r:environment:prod",
    "aud": AUDIENCE,
    "exp": NOW + 300,
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"},
        "Condition": {
            "StringEquals": {f"{ISSUER}:aud": AUDIENCE},
            "StringLike": {f"{ISSUER}:sub": "repo:o/r:*"},
        },
    },
}


def asked(web_identity: str, role: str = ROLE) -> AwsError | None:
    trust = parse(TRUST, name="the role", kind=PolicyKind.TRUST)
    return refusal(
        ApiCall("sts", OPERATION, ApiProtocol.QUERY),
        {"RoleArn": role, "RoleSessionName": "run", "WebIdentityToken": web_identity},
        lambda account, issuer: (AUDIENCE, "other") if (account, issuer) == (ROLE[13:25], ISSUER) else None,
        lambda arn: trust if arn == ROLE else None,
        NOW,
    )


def test_a_token_that_the_role_trusts_begins_a_session() -> None:
    assert asked(encoded(CLAIMS)) is None


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"sub": "repo:o/other:environment:prod"}, "AccessDenied"),
        ({"aud": "other"}, "AccessDenied"),
        ({"aud": "nobody"}, "InvalidIdentityToken"),
        ({"iss": "https://gitlab.com"}, "InvalidIdentityToken"),
        ({"exp": NOW}, "ExpiredTokenException"),
    ],
)
def test_one_with_another_claim_is_refused(changed: dict[str, Any], code: str) -> None:
    error = asked(encoded({**CLAIMS, **changed}))
    assert error is not None
    assert error.code == code


def test_a_role_that_is_not_there_trusts_nobody() -> None:
    error = asked(encoded(CLAIMS), f"{ROLE}-2")
    assert error is not None
    assert (error.code, error.message) == ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "a.!.c", encoded({})])
def test_what_is_no_token_is_refused(text: str) -> None:
    error = asked(text)
    assert error is not None
    assert error.code == "InvalidIdentityToken"
