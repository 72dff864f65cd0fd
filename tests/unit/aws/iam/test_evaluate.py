"""Who may do what, by policies of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from sim.aws.iam.evaluate import Policies, Verdict, decide
from sim.aws.iam.policy import Policy, PolicyKind, parse
from sim.aws.iam.request import ANONYMOUS, Principal, Request, context, federated, service, session, user

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline/worker"
WORKER = session(ROLE, "task-1")
ANNA = user(f"arn:aws:iam::{ACCOUNT}:user/anna")
STRANGER = session("arn:aws:iam::444455556666:role/stranger", "s")
QUEUE = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:emails"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SEND = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NOTHING = {**ALL, "Action": "sqs:ReceiveMessage"}


def policy(kind: PolicyKind, *statements: dict[str, Any]) -> Policy:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return parse(document, name=kind.value, kind=kind)


def identity(*statements: dict[str, Any]) -> tuple[Policy, ...]:
    return (policy(PolicyKind.IDENTITY, *statements),)


def of_queue(principal: Any, **more: Any) -> Policy:
    return policy(PolicyKind.RESOURCE, {**SEND, "Principal": principal, **more})


def send(caller: Principal = WORKER, secure: str = "") -> Request:
    return Request(
        caller, "sqs:SendMessage", QUEUE, ACCOUNT, context({"aws:SecureTransport": secure} if secure else {})
    )


BOUNDARY = policy(PolicyKind.BOUNDARY, NOTHING)
SESSION = policy(PolicyKind.SESSION, NOTHING)


@pytest.mark.parametrize(
    ("statement", "applies"),
    [
        (SEND, True),
        ({**SEND, "Action": "SQS:sendmessage"}, True),
        ({**SEND, "Action": ["sqs:Send*"]}, True),
        ({**SEND, "Action": "sqs:Receive*"}, False),
        ({"Effect": "Allow", "NotAction": "sqs:Receive*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}, False),
        ({**SEND, "Resource": QUEUE}, True),
        ({**SEND, "Resource": "arn:aws:sqs:*:*:emails"}, True),
        ({**SEND, "Resource": "arn:aws:sqs:eu-*"}, True),
        ({**SEND, "Resource": "arn:aws:sqs:*:emails"}, False),
        ({**SEND, "Resource": "arn:aws:sqs:eu-central-1:111122223333:EMAILS"}, False),
        ({**SEND, "Resource": "arn:aws:sqs:*:*:${aws:PrincipalTag/queue}"}, False),
        ({**SEND, "Resource": "arn:aws:sqs:*:*:${aws:PrincipalTag/queue, 'emails'}"}, True),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:sqs:*:*:emails"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::*"}, True),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:sqs:*:*:${aws:PrincipalTag/queue}"}, True),
        ({**SEND, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
    ],
)
def test_what_a_statement_is_about(statement: dict[str, Any], applies: bool) -> None:
    decision = decide(Policies(identity(statement)), send())
    assert decision.allowed is applies
    assert [str(each) for each in decision.statements] == (["statement 1 of identity"] if applies else [])


def test_the_statement_that_denies_is_named() -> None:
    deny = {"Sid": "PlainHttp", "Effect": "Deny", "Action": "*", "Resource": "*", "Principal": "*"}
    insecure = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policies = Policies(identity(ALL), resource=policy(PolicyKind.RESOURCE, insecure))
    denied = decide(policies, send(secure="false"))
    assert (denied.verdict, str(denied.statements[0])) == (
        Verdict.EXPLICITLY_DENIED,
        "statement PlainHttp of resource",
    )
    assert decide(policies, send(secure="true")).allowed


@pytest.mark.parametrize(
    ("policies", "caller", "lacking"),
    [
        (Policies(), WORKER, PolicyKind.IDENTITY),
        (Policies(identity(SEND)), WORKER, None),
        (Policies(identity(SEND), boundary=BOUNDARY), WORKER, PolicyKind.BOUNDARY),
        (Policies(identity(SEND), session=SESSION), WORKER, PolicyKind.SESSION),
        (Policies(identity(SEND), boundary=policy(PolicyKind.BOUNDARY, ALL)), WORKER, None),
        # The resource's policy alone, within the account.
        (Policies(resource=of_queue({"AWS": ROLE})), WORKER, None),
        (Policies(resource=of_queue({"AWS": ROLE}), boundary=BOUNDARY), WORKER, PolicyKind.IDENTITY),
        (Policies(resource=of_queue({"AWS": ROLE}), session=SESSION), WORKER, PolicyKind.IDENTITY),
        (Policies(resource=of_queue({"AWS": WORKER.name}), boundary=BOUNDARY, session=SESSION), WORKER, None),
        (Policies(resource=of_queue({"AWS": ANNA.name}), boundary=BOUNDARY), ANNA, None),
        (Policies(resource=of_queue("*")), WORKER, None),
        (Policies(resource=of_queue({"AWS": ACCOUNT})), WORKER, PolicyKind.IDENTITY),
        (Policies(resource=of_queue({"AWS": ROOT})), WORKER, PolicyKind.IDENTITY),
        (Policies(resource=of_queue({"AWS": ROLE})), ANNA, PolicyKind.IDENTITY),
        # From another account both sides are needed.
        (Policies(identity(SEND)), STRANGER, PolicyKind.RESOURCE),
        (Policies(resource=of_queue({"AWS": STRANGER.role})), STRANGER, PolicyKind.IDENTITY),
        (Policies(identity(SEND), resource=of_queue({"AWS": STRANGER.role})), STRANGER, None),
        (Policies(identity(SEND), resource=of_queue({"AWS": STRANGER.account})), STRANGER, None),
        # Whoever is no role and no user has the resource's policy alone.
        (Policies(resource=of_queue({"Service": "sns.amazonaws.com"})), service("sns.amazonaws.com"), None),
        (Policies(resource=of_queue({"AWS": ROLE})), service("sns.amazonaws.com"), PolicyKind.RESOURCE),
        (Policies(resource=of_queue("*")), ANONYMOUS, None),
        (Policies(resource=of_queue({"AWS": ROOT})), ANONYMOUS, PolicyKind.RESOURCE),
    ],
)
def test_what_allows_and_what_lacks(policies: Policies, caller: Principal, lacking: PolicyKind | None) -> None:
    decision = decide(policies, send(caller))
    assert decision.kind is lacking
    assert decision.verdict is (Verdict.IMPLICITLY_DENIED if lacking else Verdict.ALLOWED)


def test_all_that_a_request_needed_decided() -> None:
    policies = Policies(
        identity(SEND),
        policy(PolicyKind.BOUNDARY, ALL),
        policy(PolicyKind.SESSION, ALL),
        of_queue({"AWS": STRANGER.role}),
    )
    decision = decide(policies, send(STRANGER))
    assert [each.policy for each in decision.statements] == ["identity", "boundary", "session", "resource"]


@pytest.mark.parametrize(
    ("spared", "boundary", "denied"),
    [
        ([ROOT, ROLE], None, False),
        ([ACCOUNT, WORKER.name], None, False),
        ([ROLE], None, True),
        ([ROOT], None, True),
        ([ROOT, ANNA.name], None, True),
        ([ROOT, ROLE], policy(PolicyKind.BOUNDARY, ALL), True),
        (["*"], None, False),
    ],
)
def test_whom_a_not_principal_spares(spared: list[str], boundary: Policy | None, denied: bool) -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": spared}}
    policies = Policies(identity(ALL), boundary, resource=policy(PolicyKind.RESOURCE, deny))
    assert (decide(policies, send()).verdict is Verdict.EXPLICITLY_DENIED) is denied


@pytest.mark.parametrize(
    ("principal", "own", "lacking"),
    [
        (ROOT, ALL, None),
        (ROOT, NOTHING, PolicyKind.IDENTITY),
        (ROLE, NOTHING, None),
        (ANNA.name, ALL, PolicyKind.KEY),
    ],
)
def test_the_policy_of_a_key_has_a_say_always(principal: str, own: dict[str, Any], lacking: PolicyKind | None) -> None:
    of_key = policy(PolicyKind.KEY, {**ALL, "Principal": {"AWS": principal}})
    decision = decide(Policies(identity(own), resource=of_key), Request(WORKER, "kms:Decrypt", KEY, ACCOUNT))
    assert decision.kind is lacking


ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
GITHUB = policy(
    PolicyKind.TRUST,
    {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": PROVIDER},
        "Condition": {
            "StringEquals": {
                f"{ISSUER}:aud": "sts.amazonaws.com",
                f"{ISSUER}:sub": "repo:acme/pipeline:environment:plan",
            }
        },
    },
)


@pytest.mark.parametrize(
    ("claims", "provider", "trusted"),
    [
        ({}, PROVIDER, True),
        ({"sub": "repo:acme/pipeline:environment:prod"}, PROVIDER, False),
        ({"sub": "repo:Acme/pipeline:environment:plan"}, PROVIDER, False),
        ({"aud": "https://github.com/acme"}, PROVIDER, False),
        ({}, f"{PROVIDER}.example", False),
    ],
)
def test_a_token_of_github_is_trusted_by_its_claims(claims: dict[str, str], provider: str, trusted: bool) -> None:
    token = {"aud": "sts.amazonaws.com", "sub": "repo:acme/pipeline:environment:plan", **claims}
    keys = context({f"{ISSUER}:{claim}": value for claim, value in token.items()})
    request = Request(federated(provider), "sts:AssumeRoleWithWebIdentity", ROLE, ACCOUNT, keys)
    assert decide(Policies(resource=GITHUB), request).kind is (None if trusted else PolicyKind.TRUST)


def test_a_service_that_a_role_trusts_may_assume_it() -> None:
    trust = policy(
        PolicyKind.TRUST,
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:*"}},
        },
    )
    keys = context({"aws:SourceArn": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:cluster/pipeline"})
    for host, trusted in {"ecs-tasks.amazonaws.com": True, "ec2.amazonaws.com": False}.items():
        request = Request(service(host), "sts:AssumeRole", ROLE, ACCOUNT, keys)
        assert decide(Policies(resource=trust), request).allowed is trusted


def test_a_session_has_an_arn_without_the_path_of_its_role() -> None:
    assert WORKER.name == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/task-1"
    assert (WORKER.account, WORKER.identity) == (ACCOUNT, ROLE)
