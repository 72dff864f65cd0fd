"""Conditions hold as the pages of their operators say."""

from __future__ import annotations

from typing import Any

import pytest

from sim.aws.iam.policy import PolicyKind, parse
from sim.aws.iam.request import context

TEAM = "aws:PrincipalTag/team"


def holds(written: dict[str, Any], keys: dict[str, Any], version: str = "2012-10-17") -> bool:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": written}
    policy = parse({"Version": version, "Statement": statement}, name="task", kind=PolicyKind.IDENTITY)
    return all(condition.holds(context(keys)) for condition in policy.statements[0].conditions)


@pytest.mark.parametrize(
    ("operator", "written", "fitting", "unfitting"),
    [
        ("StringEquals", ["red", "blue"], "blue", "Blue"),
        ("StringNotEquals", ["red", "blue"], "green", "blue"),
        ("StringEquals", "re*", "re*", "red"),
        ("StringEqualsIgnoreCase", "Red", "rED", "reds"),
        ("StringNotEqualsIgnoreCase", "Red", "reds", "rED"),
        ("StringLike", "r?d*", "redder", "Redder"),
        ("StringNotLike", "r?d*", "Redder", "red"),
        ("StringLike", "${*}d", "*d", "red"),
        ("NumericEquals", "10", "10.0", "11"),
        ("NumericNotEquals", "10", "11", "10"),
        ("NumericLessThan", "10", "9.5", "10"),
        ("NumericLessThanEquals", "10", "10", "11"),
        ("NumericGreaterThan", "-1", "0", "-1"),
        ("NumericGreaterThanEquals", "10", "10", "9"),
        ("NumericEquals", "10", "10", "ten"),
        ("DateEquals", "2026-01-31T23:00:00Z", "2026-02-01T00:00:00+01:00", "2026-02-01T00:00:00Z"),
        ("DateNotEquals", "2026-02-01", "2026-02-02", "2026-02-01T00:00:00Z"),
        ("DateLessThan", "2026-02", "2026-01-31", "2026-02-01"),
        ("DateLessThanEquals", "2026-02-01", "2026-02-01", "2026-02-02"),
        ("DateGreaterThan", "1769904000", "2026-02-01T00:00:01Z", "2026-02-01T00:00:00Z"),
        ("DateGreaterThanEquals", "2026-02-01", "1769904000", "1769903999"),
        ("Bool", "true", "True", "false"),
        ("Bool", "false", "false", "no"),
        ("BinaryEquals", "QUFB", "QUFB", "QkJC"),
        ("BinaryEquals", "QUFB", "QUFB", "not base64"),
        ("IpAddress", "10.0.0.0/24", "10.0.0.7", "10.0.1.7"),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", "10.0.0.7"),
        ("NotIpAddress", "10.0.0.0/24", "10.0.1.7", "10.0.0.7"),
        ("ArnEquals", "arn:aws:sns:*:*:alarms", "arn:aws:sns:eu-central-1:1:alarms", "arn:aws:sqs:::alarms"),
        ("ArnLike", "arn:aws:s3:*:*:a", "arn:aws:s3:::a", "arn:aws:s3::::a"),
        ("ArnLike", "arn:aws:s3:::a*", "arn:aws:s3:::a:b", "arn:aws:s3:::b"),
        ("ArnNotEquals", "arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:s3:::a"),
        ("ArnNotLike", "arn:aws:s3:::a*", "arn:aws:s3:::b", "arn:aws:s3:::ab"),
    ],
)
def test_each_operator(operator: str, written: str | list[str], fitting: str, unfitting: str) -> None:
    assert holds({operator: {"x:key": written}}, {"X:Key": fitting})
    assert not holds({operator: {"x:key": written}}, {"X:Key": unfitting})


def test_a_wildcard_of_an_arn_stays_in_its_part() -> None:
    assert not holds({"ArnLike": {"aws:SourceArn": "arn:aws:*"}}, {"aws:SourceArn": "arn:aws:s3:::emails"})
    assert holds({"StringLike": {"aws:SourceArn": "arn:aws:*"}}, {"aws:SourceArn": "arn:aws:s3:::emails"})


@pytest.mark.parametrize(
    ("operator", "without_key"),
    [
        ("StringEquals", False),
        ("StringEqualsIfExists", True),
        ("StringNotEquals", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", False),
    ],
)
def test_a_key_that_the_request_does_not_have(operator: str, without_key: bool) -> None:
    assert holds({operator: {"aws:TagKeys": "a"}}, {}) is without_key
    assert holds({operator: {"aws:TagKeys": "a"}}, {"aws:TagKeys": []}) is without_key


@pytest.mark.parametrize(
    ("operator", "keys", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["a", "c"], True),
        ("ForAnyValue:StringEquals", ["c", "d"], False),
        ("ForAnyValue:StringNotEquals", ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("StringEquals", ["a", "b"], False),
        ("StringNotEquals", ["c", "d"], False),
    ],
)
def test_a_key_with_several_values(operator: str, keys: list[str], expected: bool) -> None:
    assert holds({operator: {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": keys}) is expected


def test_null_asks_for_the_key_alone() -> None:
    assert holds({"Null": {TEAM: "true"}}, {})
    assert not holds({"Null": {TEAM: "true"}}, {TEAM: "red"})
    assert holds({"Null": {TEAM: "false"}}, {TEAM: "red"})
    assert not holds({"Null": {TEAM: "false"}}, {})


def test_every_key_of_every_operator_has_to_hold() -> None:
    written = {"StringEquals": {TEAM: "red", "aws:username": "anna"}, "Bool": {"aws:SecureTransport": "true"}}
    keys = {TEAM: "red", "aws:username": "anna", "aws:SecureTransport": "true"}
    assert holds(written, keys)
    assert not any(holds(written, {**keys, key: "false"}) for key in keys)


@pytest.mark.parametrize(
    ("written", "keys", "equal"),
    [
        ("${aws:username}", {"aws:username": "red"}, True),
        ("${aws:username}", {"aws:username": "blue"}, False),
        ("${AWS:UserName}", {"aws:username": "red"}, True),
        ("${aws:username}", {"aws:username": ["red", "blue"]}, False),
        ("${aws:username}", {}, False),
        ("${aws:username, 'red'}", {}, True),
        ("${aws:username, 'red'}", {"aws:username": "blue"}, False),
        ("r${aws:username, ''}ed", {}, True),
        ("${aws:username}", {"aws:username": "r*"}, False),
    ],
)
def test_variables_have_the_values_of_the_request(written: str, keys: dict[str, Any], equal: bool) -> None:
    assert holds({"StringLike": {TEAM: written}}, {TEAM: "red", **keys}) is equal
    assert holds({"StringNotLike": {TEAM: written}}, {TEAM: "red", **keys}) is not equal


def test_policies_of_2008_have_no_variables() -> None:
    keys = {TEAM: "red", "aws:username": "red"}
    assert not holds({"StringEquals": {TEAM: "${aws:username}"}}, keys, "2008-10-17")
    assert holds({"StringEquals": {TEAM: "${aws:username}"}}, {**keys, TEAM: "${aws:username}"}, "2008-10-17")
