"""A role's permissions beside what it did: used, never used, denied, and what would fail without each."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sim.aws.iam.evaluate import Policies, Verdict
from sim.aws.iam.policy import PolicyKind, parse
from sim.aws.iam.request import Request, session
from sim.aws.iam.usage import Judged, RecordedCall, RoleUsage, usage

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
QUEUE = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:emails"
OBJECT = "arn:aws:s3:::emails/incoming/a.json"
WORKER = parse(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Consume",
                "Effect": "Allow",
                "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
                "Resource": QUEUE,
            },
            {"Sid": "Store", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::emails/incoming/*"},
            {"Sid": "All", "Effect": "Allow", "Action": "s3:Put*", "Resource": "*"},
            {"Sid": "Never", "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
        ],
    },
    name="service",
    kind=PolicyKind.IDENTITY,
)


def call(operation: str, *needs: tuple[str, str]) -> RecordedCall:
    judged = tuple(Judged(Request(session(ROLE, "t"), *need, ACCOUNT), Policies((WORKER,))) for need in needs)
    return RecordedCall(ROLE, operation, judged or None)


RECEIVE = call("sqs:ReceiveMessage", ("sqs:ReceiveMessage", QUEUE))
DELETE = call("sqs:DeleteMessageBatch", ("sqs:DeleteMessage", QUEUE))
PUT = call("s3:PutObject", ("s3:PutObject", OBJECT))
ELSEWHERE = call("s3:PutObject", ("s3:PutObject", "arn:aws:s3:::emails/b.json"))
REMOVE = call("s3:DeleteObject", ("s3:DeleteObject", OBJECT))
READ = call("s3:GetObject", ("s3:GetObject", OBJECT))
COPY = call("s3:CopyObject", ("s3:GetObject", OBJECT), ("s3:PutObject", OBJECT))
UNKNOWN = call("sqs:Fly")


def of_worker(*calls: RecordedCall) -> RoleUsage:
    (found,) = usage({ROLE: [WORKER]}, Counter(calls))
    return found


def test_what_is_used_is_counted_and_what_needs_it_is_named() -> None:
    found = of_worker(RECEIVE, RECEIVE, DELETE, PUT, ELSEWHERE)
    shown: dict[str, Any] = {
        f"{each.permission.statement.name} {each.permission.action}": (each.calls, each.needed_by)
        for each in found.used
    }
    assert shown == {
        "Consume sqs:ReceiveMessage": (2, {"sqs:ReceiveMessage": 2}),
        "Consume sqs:DeleteMessage": (1, {"sqs:DeleteMessageBatch": 1}),
        # The statement below it allows the same.
        "Store s3:PutObject": (1, {}),
        "All s3:Put*": (1, {"s3:PutObject": 1}),
    }


def test_what_is_never_used_is_named_as_it_is_written() -> None:
    found = of_worker(RECEIVE, PUT)
    assert [(each.statement.name, each.action) for each in found.unused] == [
        ("Consume", "sqs:DeleteMessage"),
        ("Consume", "sqs:ChangeMessageVisibility"),
        ("All", "s3:Put*"),
    ]


def test_what_is_denied_is_named_with_the_statement() -> None:
    found = of_worker(REMOVE, REMOVE, READ)
    assert [(each.operation, each.calls, each.decision.verdict) for each in found.denied] == [
        ("s3:DeleteObject", 2, Verdict.EXPLICITLY_DENIED),
        ("s3:GetObject", 1, Verdict.IMPLICITLY_DENIED),
    ]
    assert [str(each) for each in found.denied[0].decision.statements] == ["statement Never of service"]


def test_a_call_that_needs_two_permissions_is_denied_for_the_one_that_it_lacks() -> None:
    found = of_worker(COPY)
    assert [(each.operation, each.request.action) for each in found.denied] == [("s3:CopyObject", "s3:GetObject")]
    # It is denied anyway, so it needs nothing.
    assert [each.needed_by for each in found.used] == [{}]


def test_what_nobody_judged_is_counted() -> None:
    assert of_worker(UNKNOWN, UNKNOWN, RECEIVE).unknown == {"sqs:Fly": 2}


def test_a_role_that_did_nothing_uses_nothing() -> None:
    idle = f"{ROLE}-2"
    first, second = usage({ROLE: [WORKER], idle: [WORKER]}, {RECEIVE: 1})
    assert (first.role, len(first.used)) == (ROLE, 1)
    assert (second.role, second.used, len(second.unused)) == (idle, (), 5)
