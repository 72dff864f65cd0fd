"""A denial reads as AWS words it, in the protocol of each service."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.parsers import create_parser

from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.errors import error_answer
from sim.aws.iam.denial import denial
from sim.aws.iam.evaluate import Decision, Verdict
from sim.aws.iam.policy import PolicyKind
from sim.aws.iam.request import ANONYMOUS, Principal, Request, federated, session

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline/worker"
WORKER = session(ROLE, "task-1")
QUEUE = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:emails"
TOPIC = f"arn:aws:sns:eu-central-1:{ACCOUNT}:alarms"
TOKEN = f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/token"
OBJECT = "arn:aws:s3:::emails/incoming/a.json"
REFUSED = f"User: {WORKER.name} is not authorized to perform:"


def lacking(kind: PolicyKind) -> Decision:
    return Decision(Verdict.IMPLICITLY_DENIED, (), kind)


@pytest.mark.parametrize(
    ("service", "protocol", "action", "resource", "code", "status", "shown"),
    [
        ("sqs", ApiProtocol.JSON, "sqs:SendMessage", QUEUE, "AccessDenied", 403, ("sqs:sendmessage", QUEUE)),
        ("ssm", ApiProtocol.JSON, "ssm:GetParameter", TOKEN, "AccessDeniedException", 400, ("ssm:GetParameter", TOKEN)),
        ("s3", ApiProtocol.REST_XML, "s3:PutObject", OBJECT, "AccessDenied", 403, ("s3:PutObject", f'"{OBJECT}"')),
        ("iam", ApiProtocol.QUERY, "iam:GetRole", ROLE, "AccessDenied", 403, ("iam:GetRole", "role worker")),
        ("sns", ApiProtocol.QUERY, "sns:Publish", TOPIC, "AuthorizationError", 403, ("SNS:Publish", TOPIC)),
    ],
)
def test_boto3_shows_the_code_and_the_text_of_aws(
    service: str,
    protocol: ApiProtocol,
    action: str,
    resource: str,
    code: str,
    status: int,
    shown: tuple[str, str],
) -> None:
    operation = action.partition(":")[2]
    call = ApiCall(service, operation, protocol)
    error = denial(call, Request(WORKER, action, resource, ACCOUNT), lacking(PolicyKind.IDENTITY))
    answer = error_answer(call, error)
    model = botocore.session.get_session().get_service_model(service)
    shape: Any = model.operation_model(operation).output_shape
    parsed = create_parser(model.resolved_protocol).parse(
        {"status_code": answer.status, "headers": answer.headers, "body": answer.body}, shape
    )
    assert (parsed["Error"]["Code"], answer.status) == (code, status)
    assert parsed["Error"]["Message"] == (
        f"{REFUSED} {shown[0]} on resource: {shown[1]} because no identity-based policy allows the {shown[0]} action"
    )


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (PolicyKind.BOUNDARY, "because no permissions boundary allows the ssm:GetParameter action"),
        (PolicyKind.SESSION, "because no session policy allows the ssm:GetParameter action"),
        (PolicyKind.RESOURCE, "because no resource-based policy allows the ssm:GetParameter action"),
        (PolicyKind.KEY, "because no resource-based policy allows the ssm:GetParameter action"),
    ],
)
def test_the_kind_of_policy_that_does_not_allow_is_named(kind: PolicyKind, why: str) -> None:
    call = ApiCall("ssm", "GetParameter", ApiProtocol.JSON)
    error = denial(call, Request(WORKER, "ssm:GetParameter", TOKEN, ACCOUNT), lacking(kind))
    assert error.message == f"{REFUSED} ssm:GetParameter on resource: {TOKEN} {why}"


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        (PolicyKind.IDENTITY, "an identity-based policy"),
        (PolicyKind.BOUNDARY, "a permissions boundary"),
        (PolicyKind.SESSION, "a session policy"),
        (PolicyKind.RESOURCE, "a resource-based policy"),
    ],
)
def test_the_kind_of_policy_that_denies_is_named(kind: PolicyKind, where: str) -> None:
    decision = Decision(Verdict.EXPLICITLY_DENIED, (), kind)
    request = Request(WORKER, "sqs:SendMessage", QUEUE, ACCOUNT)
    error = denial(ApiCall("sqs", "SendMessage", ApiProtocol.JSON), request, decision)
    assert error.message == f"{REFUSED} sqs:sendmessage on resource: {QUEUE} with an explicit deny in {where}"


def test_a_decision_that_allows_is_no_denial() -> None:
    call = ApiCall("ssm", "GetParameter", ApiProtocol.JSON)
    with pytest.raises(ValueError, match="ssm:GetParameter is allowed"):
        denial(call, Request(WORKER, "ssm:GetParameter", TOKEN, ACCOUNT), Decision(Verdict.ALLOWED, (), None))


@pytest.mark.parametrize(
    ("caller", "message"),
    [
        (WORKER, f"{REFUSED} sts:AssumeRole because no role trust policy allows the sts:AssumeRole action"),
        (federated("arn:aws:iam::111122223333:oidc-provider/github"), "Not authorized to perform sts:AssumeRole"),
    ],
)
def test_a_role_that_does_not_trust_the_caller(caller: Principal, message: str) -> None:
    call = ApiCall("sts", "AssumeRole", ApiProtocol.QUERY)
    error = denial(call, Request(caller, "sts:AssumeRole", ROLE, ACCOUNT), lacking(PolicyKind.TRUST))
    assert (error.code, error.status, error.message) == ("AccessDenied", 403, message)


def test_ec2_has_its_own_code_and_names_no_resource_where_there_is_none() -> None:
    call = ApiCall("ec2", "DescribeInstances", ApiProtocol.QUERY)
    error = denial(call, Request(WORKER, "ec2:DescribeInstances", "*", ACCOUNT), lacking(PolicyKind.IDENTITY))
    assert error.code == "UnauthorizedOperation"
    assert error.message == (
        f"You are not authorized to perform this operation. {REFUSED} ec2:DescribeInstances "
        "because no identity-based policy allows the ec2:DescribeInstances action"
    )


def test_who_has_not_signed_is_anonymous() -> None:
    call = ApiCall("s3", "GetObject", ApiProtocol.REST_XML)
    error = denial(call, Request(ANONYMOUS, "s3:GetObject", OBJECT, ACCOUNT), lacking(PolicyKind.RESOURCE))
    assert error.message.startswith("User: anonymous is not authorized to perform: s3:GetObject on resource: ")
