"""The roles of GitHub's workflows, taken in tests as a workflow takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import boto3

from sim.cloud.aws_client import REGION, local_session
from sim.cloud.permissions import RoleReport, reports
from tests.github_tokens import ISSUER, token
from tests.recorded_permissions import record

SESSION: Final = "workflow"
"""The name of every session."""


@contextmanager
def taken(endpoint: str, role: str) -> Iterator[Mapping[str, str]]:
    """The keys of a session of a role, by its name, as the environment variables that AWS's tools read.

    The session is begun with a token of the subject that the role trusts. What is done with the keys in the block has
    to use the role, and nothing of it may be denied or be an operation of which nobody knows what it needs.
    """
    arn = _described(endpoint, role)["Arn"]
    before = _report(endpoint, arn)
    yield keys_of(endpoint, role)
    after = _report(endpoint, arn)
    record(endpoint)
    assert (after.denied, after.unknown) == (before.denied, before.unknown)
    assert _calls(after) > _calls(before)


def keys_of(endpoint: str, role: str) -> Mapping[str, str]:
    """The same keys, for what may be denied."""
    sts: Any = local_session().client("sts", endpoint_url=endpoint)
    described = _described(endpoint, role)
    [trust] = described["AssumeRolePolicyDocument"]["Statement"]
    subject = trust["Condition"]["StringEquals"][f"{ISSUER}:sub"]
    asked = {"RoleArn": described["Arn"], "RoleSessionName": SESSION, "WebIdentityToken": token(subject)}
    begun = sts.assume_role_with_web_identity(**asked)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": begun["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": begun["SecretAccessKey"],
        "AWS_SESSION_TOKEN": begun["SessionToken"],
    }


def session(keys: Mapping[str, str]) -> boto3.Session:
    """What makes clients that sign with such keys."""
    return boto3.Session(
        keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"], region_name=REGION
    )


def _described(endpoint: str, role: str) -> dict[str, Any]:
    iam: Any = local_session().client("iam", endpoint_url=endpoint)
    found: dict[str, Any] = iam.get_role(RoleName=role)["Role"]
    return found


def _report(endpoint: str, arn: str) -> RoleReport:
    [found] = [each for each in reports(endpoint) if each.role == arn]
    return found


def _calls(report: RoleReport) -> int:
    return sum(each.calls for each in report.used)
