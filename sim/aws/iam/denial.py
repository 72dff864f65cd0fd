"""How services of AWS word a denial: who may not do what to which resource, and why.

[Guide] troubleshoot_access-denied, and for the quotes of S3
https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html. What SQS, SNS, EC2, IAM and STS do
in their own way is taken from messages that people quote.
"""

from __future__ import annotations

from collections.abc import Mapping

from sim.aws.api_call import ApiCall
from sim.aws.errors import access_denied
from sim.aws.iam.evaluate import Decision, Verdict
from sim.aws.iam.policy import PolicyKind
from sim.aws.iam.request import ANONYMOUS, PrincipalKind, Request
from sim.aws.model import AwsError

_NO_POLICY: Mapping[PolicyKind, str] = {
    PolicyKind.IDENTITY: "no identity-based policy",
    PolicyKind.BOUNDARY: "no permissions boundary",
    PolicyKind.SESSION: "no session policy",
    PolicyKind.RESOURCE: "no resource-based policy",
    PolicyKind.KEY: "no resource-based policy",
    PolicyKind.TRUST: "no role trust policy",
}
_IN_POLICY: Mapping[PolicyKind, str] = {
    PolicyKind.IDENTITY: "an identity-based policy",
    PolicyKind.BOUNDARY: "a permissions boundary",
    PolicyKind.SESSION: "a session policy",
    PolicyKind.RESOURCE: "a resource-based policy",
    PolicyKind.KEY: "a resource-based policy",
    PolicyKind.TRUST: "the role trust policy",
}
_BY_NAME = ("role", "user", "instance-profile")
"""What IAM's messages name without the ARN."""


def reason(decision: Decision) -> str:
    """Why a decision does not allow its request: `no identity-based policy allows it`. Raises ValueError if it does."""
    if decision.kind is None:
        raise ValueError("the request is allowed")
    if decision.verdict is Verdict.EXPLICITLY_DENIED:
        return f"explicit deny in {_IN_POLICY[decision.kind]}"
    return f"{_NO_POLICY[decision.kind]} allows it"


def denial(call: ApiCall, request: Request, decision: Decision) -> AwsError:
    """The error with which the service of a call answers, because of a decision that does not allow it.

    Raises ValueError if the decision allows it.
    """
    if decision.kind is None:
        raise ValueError(f"{request.action} is allowed, so nothing denies it")
    return access_denied(call, _message(call, request, decision.kind, decision.verdict))


def _message(call: ApiCall, request: Request, kind: PolicyKind, verdict: Verdict) -> str:
    if request.principal.kind is PrincipalKind.FEDERATED:
        return f"Not authorized to perform {request.action}"
    action = _action(call, request.action)
    user = "anonymous" if request.principal == ANONYMOUS else request.principal.name
    refused = f"User: {user} is not authorized to perform: {action}{_resource(call, request, kind)}"
    if verdict is Verdict.EXPLICITLY_DENIED:
        message = f"{refused} with an explicit deny in {_IN_POLICY[kind]}"
    else:
        message = f"{refused} because {_NO_POLICY[kind]} allows the {action} action"
    return f"You are not authorized to perform this operation. {message}" if call.service == "ec2" else message


def _action(call: ApiCall, action: str) -> str:
    match call.service:
        case "sqs":
            return action.lower()
        case "sns":
            return f"SNS:{action.partition(':')[2]}"
        case _:
            return action


def _resource(call: ApiCall, request: Request, kind: PolicyKind) -> str:
    if kind is PolicyKind.TRUST or (call.service == "ec2" and request.resource == "*"):
        return ""
    shown = request.resource
    if call.service == "s3":
        shown = f'"{shown}"'
    elif call.service == "iam":
        entity, _, path = shown.rpartition(":")[2].partition("/")
        shown = f"{entity.replace('-', ' ')} {path.rpartition('/')[2]}" if entity in _BY_NAME else shown
    return f" on resource: {shown}"
