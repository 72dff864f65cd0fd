"""Who is judged, by which policies, and what is counted."""

from __future__ import annotations

from typing import Any

import pytest

from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.iam.evaluate import Policies
from sim.aws.iam.needs import Destination, Need, Parameters
from sim.aws.iam.policy import PolicyKind, parse
from sim.aws.iam.request import Request, session
from sim.aws.iam.usage import RoleUsage
from sim.cloud.control_plane.iam.gate import Gate, Session

DESTINATION = Destination("eu-central-1", "111122223333")
ROLE = "arn:aws:iam::111122223333:role/worker"
KEY = "LSIA0000000000000001"
OF_USER = "AKIA0000000000000001"
QUEUE = {"QueueUrl": "http://127.0.0.1/111122223333/emails"}
SEND = ApiCall("sqs", "SendMessage", ApiProtocol.JSON)
STATEMENT = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}


class Account:
    """One role with one policy and one session."""

    def __init__(self, **changes: Any) -> None:
        self.document: dict[str, Any] = {"Version": "2012-10-17", "Statement": {**STATEMENT, **changes}}
        self.beside: list[Need] = []
        self.gate = Gate(self._session, lambda _, key: key == OF_USER, self._policies, self._beside)

    def _session(self, account: str, key: str) -> Session | None:
        return Session(session(ROLE, "task-1")) if (account, key) == (DESTINATION.account, KEY) else None

    def _beside(self, _call: ApiCall, _parameters: Parameters, _destination: Destination) -> list[Need]:
        return self.beside

    def _policies(self, _session: Session, _request: Request) -> Policies:
        return Policies((parse(self.document, name="task", kind=PolicyKind.IDENTITY),))

    def usage(self) -> RoleUsage:
        (found,) = self.gate.usage({ROLE: [parse(self.document, name="task", kind=PolicyKind.IDENTITY)]})
        return found

    def code(self, call: ApiCall, key: str = KEY) -> str | None:
        error = self.gate.check(key, call, QUEUE, DESTINATION)
        return error.code if error else None


def test_a_session_may_do_what_its_role_may() -> None:
    account = Account()
    assert account.code(SEND) is None
    assert account.code(ApiCall("sqs", "PurgeQueue", ApiProtocol.JSON)) == "AccessDenied"


def test_a_call_needs_all_that_it_needs_beside_its_own_action() -> None:
    account = Account()
    account.beside = [Need("kms:Decrypt", "arn:aws:kms:eu-central-1:111122223333:key/1")]
    assert account.code(SEND) == "AccessDenied"
    account.document["Statement"] = {**STATEMENT, "Action": ["sqs:SendMessage", "kms:Decrypt"]}
    assert account.code(SEND) is None


@pytest.mark.parametrize("key", ["", "111122223333", "test", "injectedaccesskey", "LSIA0000000000000002", OF_USER])
def test_whoever_is_no_session_is_not_judged(key: str) -> None:
    account = Account()
    assert account.code(ApiCall("sqs", "PurgeQueue", ApiProtocol.JSON), key) is None
    found = account.usage()
    assert (found.used, found.denied, found.unknown) == ((), (), {})


@pytest.mark.parametrize("key", ["ASIA0000000000000001", "AKIA0000000000000002"])
@pytest.mark.parametrize(
    ("service", "protocol", "status", "code", "message"),
    [
        ("sqs", ApiProtocol.JSON, 403, "InvalidClientTokenId", "security token included in the request is invalid."),
        ("ecs", ApiProtocol.JSON, 400, "UnrecognizedClientException", "token included in the request is invalid."),
        ("sts", ApiProtocol.QUERY, 403, "InvalidClientTokenId", "security token included in the request is invalid."),
        ("s3", ApiProtocol.REST_XML, 403, "InvalidAccessKeyId", "you provided does not exist in our records."),
        ("ec2", ApiProtocol.QUERY, 401, "AuthFailure", "was not able to validate the provided access credentials"),
    ],
)
def test_a_key_of_aws_that_nobody_issued_is_refused(
    key: str, service: str, protocol: ApiProtocol, status: int, code: str, message: str
) -> None:
    account = Account()
    error = account.gate.check(key, ApiCall(service, "Any", protocol), {}, DESTINATION)
    assert error is not None
    assert (error.status, error.code) == (status, code)
    assert error.message.endswith(message)


def test_a_policy_that_changes_holds_at_the_next_call() -> None:
    account = Account()
    assert account.code(SEND) is None
    account.document["Statement"] = {**STATEMENT, "Effect": "Deny"}
    assert account.code(SEND) == "AccessDenied"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:SecureTransport", "true"),
        ("aws:PrincipalArn", ROLE),
        ("aws:PrincipalAccount", DESTINATION.account),
        ("aws:RequestedRegion", DESTINATION.region),
    ],
)
def test_every_call_brings_the_keys_that_policies_ask_for(key: str, value: str) -> None:
    assert Account(Condition={"StringEquals": {key: value}}).code(SEND) is None
    assert Account(Condition={"StringEquals": {key: "other"}}).code(SEND) == "AccessDenied"


def test_a_policy_that_cannot_be_read_is_named() -> None:
    error = Account(Effect="Maybe").gate.check(KEY, SEND, QUEUE, DESTINATION)
    assert error is not None
    assert (error.code, "the policy task is malformed" in error.message) == ("MalformedPolicyDocument", True)


def test_calls_are_recorded_by_their_end() -> None:
    account = Account()
    for operation in ("SendMessage", "SendMessage", "PurgeQueue", "Fly"):
        account.code(ApiCall("sqs", operation, ApiProtocol.JSON))
    found = account.usage()
    assert [(each.permission.action, each.calls) for each in found.used] == [("sqs:SendMessage", 2)]
    assert [(each.operation, each.calls) for each in found.denied] == [("sqs:PurgeQueue", 1)]
    assert found.unknown == {"sqs:Fly": 1}
