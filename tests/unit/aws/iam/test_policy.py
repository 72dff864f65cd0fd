"""Policies are read as IAM reads them, and what IAM would refuse is refused with the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from sim.aws.iam.condition import SetOperator
from sim.aws.iam.policy import MalformedPolicy, PolicyKind, parse

ALLOW = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}


def document(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": {**ALLOW, **statement}}


def test_a_statement_has_its_sid_or_its_number_for_a_name() -> None:
    statements = [ALLOW, {**ALLOW, "Sid": "Send"}]
    policy = parse(json.dumps({"Statement": statements}), name="task", kind=PolicyKind.IDENTITY)
    assert [str(each) for each in policy.statements] == ["statement 1 of task", "statement Send of task"]


def test_an_operator_is_read_in_its_parts() -> None:
    written = {"ForAllValues:stringlikeIfExists": {"aws:TagKeys": ["a", "b"]}}
    (statement,) = parse(document(Condition=written), name="task", kind=PolicyKind.IDENTITY).statements
    (condition,) = statement.conditions
    assert (condition.operator, condition.key, condition.set_operator, condition.if_exists) == (
        "StringLike",
        "aws:tagkeys",
        SetOperator.EVERY,
        True,
    )


def test_numbers_and_truth_values_may_stand_without_quotes() -> None:
    written = {"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:max-keys": 10}}
    (statement,) = parse(document(Condition=written), name="task", kind=PolicyKind.IDENTITY).statements
    assert [value.source for condition in statement.conditions for value in condition.values] == ["false", "10"]


def test_every_policy_that_aws_manages_is_read() -> None:
    managed = json.loads(aws_managed_policies_data)
    assert len(managed) > 1000
    read = [parse(each["Document"], name=name, kind=PolicyKind.IDENTITY) for name, each in managed.items()]
    assert all(policy.statements for policy in read)


@pytest.mark.parametrize(
    ("malformed", "why"),
    [
        ("{", "it is not JSON"),
        ("[]", "there is no Statement"),
        ({"Version": "2012-10-18", "Statement": ALLOW}, "Version is '2012-10-18'"),
        ({"Version": "2012-10-17", "Statements": ALLOW, "Statement": ALLOW}, "unknown element Statements"),
        ({"Statement": ["Allow"]}, "statement 1 is no object"),
        (document(Actions="*"), "statement 1 has the unknown element Actions"),
        (document(Effect="allow"), "the Effect of statement 1 is neither Allow nor Deny"),
        ({"Statement": {"Effect": "Allow", "Resource": "*"}}, "statement 1 has neither Action nor NotAction"),
        (document(NotAction="*"), "statement 1 has Action and NotAction"),
        (document(Action="SendMessage"), "Action 'SendMessage' of statement 1 is neither"),
        (document(Action="s*:SendMessage"), "Action 's*:SendMessage' of statement 1 is neither"),
        (document(Action=[]), "Action of statement 1 is neither a text nor a list of them"),
        (document(Action={"sqs": "*"}), "Action of statement 1 is neither a text nor a list of them"),
        ({"Statement": {"Effect": "Allow", "Action": "*"}}, "statement 1 has neither Resource nor NotResource"),
        (document(Resource="emails"), "Resource 'emails' of statement 1 is neither"),
        (document(Principal="*"), "statement 1 has a Principal, which only resource-based policies have"),
        (document(Condition="no"), "the Condition of statement 1 is not"),
        (document(Condition={"StringIs": {"a:b": "c"}}), "unknown condition operator StringIs"),
        (document(Condition={"ForNoValue:StringLike": {"a:b": "c"}}), "operator ForNoValue:StringLike"),
        (document(Condition={"NullIfExists": {"a:b": "true"}}), "operator NullIfExists"),
        (
            document(Condition={"NumericEquals": {"a:b": "ten"}}),
            "NumericEquals a:b of statement 1 cannot have the value 'ten'",
        ),
        (document(Condition={"Bool": {"a:b": "yes"}}), "cannot have the value 'yes'"),
        (document(Condition={"DateEquals": {"a:b": "monday"}}), "cannot have the value 'monday'"),
        (document(Condition={"IpAddress": {"a:b": "10.0.0.0/40"}}), "cannot have the value '10.0.0.0/40'"),
    ],
)
def test_what_iam_would_refuse_is_refused(malformed: Any, why: str) -> None:
    with pytest.raises(MalformedPolicy) as refused:
        parse(malformed, name="task", kind=PolicyKind.IDENTITY)
    assert str(refused.value).startswith("the policy task is malformed: ")
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("malformed", "why"),
    [
        (document(), "statement 1 has no Principal, which a resource-based policy needs"),
        (document(Principal="111122223333"), 'the Principal of statement 1 is neither "*" nor an object'),
        (document(Principal={"Aws": "*"}), "the Principal of statement 1 has Aws; known are AWS,"),
        (document(Principal={"AWS": "arn:aws:iam::111122223333:role/*"}), "is no name, which has no wildcard"),
        (document(NotPrincipal="*"), "has a NotPrincipal, which goes with Deny alone"),
    ],
)
def test_what_a_service_would_refuse_is_refused(malformed: Any, why: str) -> None:
    with pytest.raises(MalformedPolicy) as refused:
        parse(malformed, name="queue", kind=PolicyKind.RESOURCE)
    assert why in str(refused.value)


def test_a_trust_policy_has_no_resource() -> None:
    with pytest.raises(MalformedPolicy, match="its resource is the role"):
        parse(document(Principal="*"), name="role", kind=PolicyKind.TRUST)
