"""Sessions of roles may do what their policies allow, and read AWS's errors where they may not."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sim.aws.api_call import ApiCall, ApiProtocol
from sim.aws.ecr_authorization import Login, PrivateRegistry
from sim.aws.iam.evaluate import Policies
from sim.aws.iam.needs import Destination
from sim.aws.iam.policy import PolicyKind, parse
from sim.aws.iam.request import session
from sim.cloud.control_plane.iam.gate import Gate, Session
from sim.cloud.permissions import reports
from sim.host.loopback import request
from tests.cloud.shared import CONFIG, Client
from tests.github_tokens import AUDIENCE, ISSUER, token

TEMPORARY = "LSIA0000000000000001"
SEND = {"Sid": "Send", "Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"], "Resource": "*"}


class Role:
    """A role of the test's account, in whose session clients are made."""

    def __init__(self, aws: Callable[[str], Client], account: str, endpoint: str) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self.arn = f"arn:aws:iam::{account}:role/pipeline/worker"
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}}
        self._iam = aws("iam")
        self._iam.create_role(RoleName="worker", Path="/pipeline/", AssumeRolePolicyDocument=_document(trust))

    def may(self, *statements: dict[str, Any]) -> None:
        """Gives the role a policy, in place of the one that it had."""
        self._iam.put_role_policy(RoleName="worker", PolicyName="task", PolicyDocument=_document(*statements))

    @cached_property
    def keys(self) -> dict[str, str]:
        """Those of a session of the role."""
        found: dict[str, str] = self._aws("sts").assume_role(RoleArn=self.arn, RoleSessionName="task-1")["Credentials"]
        return found

    def client(self, service: str) -> Client:
        """A client in a session of the role."""
        keys = self.keys
        of_role: Any = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="eu-central-1"
        )
        return of_role.client(service, endpoint_url=self._endpoint, config=CONFIG)


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def role(aws: Callable[[str], Client], account: str, endpoint: str) -> Role:
    return Role(aws, account, endpoint)


@pytest.fixture
def queue(aws: Callable[[str], Client]) -> str:
    url: str = aws("sqs").create_queue(QueueName="emails")["QueueUrl"]
    return url


def denied(call: Callable[..., object], **parameters: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    answer: Any = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def test_a_permission_that_is_taken_away_is_missed_by_exactly_what_needs_it(
    role: Role, queue: str, account: str
) -> None:
    role.may(SEND)
    sqs = role.client("sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="a")
    role.may({**SEND, "Action": "sqs:GetQueueUrl"})
    code, status, message = denied(sqs.send_message, QueueUrl=queue, MessageBody="b")
    region = sqs.meta.region_name
    assert (code, status) == ("AccessDenied", 403)
    assert message == (
        f"User: arn:aws:sts::{account}:assumed-role/worker/task-1 is not authorized to perform: sqs:sendmessage "
        f"on resource: arn:aws:sqs:{region}:{account}:emails because no identity-based policy allows "
        "the sqs:sendmessage action"
    )
    assert sqs.get_queue_url(QueueName="emails")["QueueUrl"] == queue
    role.may(SEND)
    sqs.send_message(QueueUrl=queue, MessageBody="c")


def test_each_service_denies_in_its_own_way(role: Role, aws: Callable[[str], Client], account: str) -> None:
    bucket = f"emails-{account}"
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    role.may({"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/incoming/*"})
    s3 = role.client("s3")
    s3.put_object(Bucket=bucket, Key="incoming/a.json", Body=b"{}")
    code, status, message = denied(s3.put_object, Bucket=bucket, Key="elsewhere/a.json", Body=b"{}")
    assert (code, status) == ("AccessDenied", 403)
    assert f's3:PutObject on resource: "arn:aws:s3:::{bucket}/elsewhere/a.json" because no identity-based' in message
    for key, expected in (("incoming/b.json", 200), ("elsewhere/b.json", 403)):
        url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key})
        assert request("PUT", url, seconds=10, body=b"{}").status == expected
    code, status, message = denied(role.client("ssm").get_parameter, Name="/emails/token")
    assert (code, status) == ("AccessDeniedException", 400)
    assert "parameter/emails/token because no identity-based policy allows the ssm:GetParameter action" in message
    assert denied(role.client("iam").get_role, RoleName="worker")[:2] == ("AccessDenied", 403)
    assert denied(role.client("ec2").describe_instances)[:2] == ("UnauthorizedOperation", 403)


def test_a_parameter_under_a_key_of_ones_own_needs_the_key_too(
    role: Role, aws: Callable[[str], Client], account: str
) -> None:
    # LocalStack 4.13 makes no key on Python 3.11, but keeps its name.
    key = f"arn:aws:kms:eu-central-1:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    aws("ssm").put_parameter(Name="/own", Value="v", Type="SecureString", KeyId=key)
    aws("ssm").put_parameter(Name="/plain", Value="v", Type="SecureString")
    read = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}
    role.may(read)
    ssm = role.client("ssm")
    ssm.get_parameter(Name="/plain", WithDecryption=True)
    ssm.get_parameter(Name="/own")
    code, _, message = denied(ssm.get_parameter, Name="/own", WithDecryption=True)
    assert code == "AccessDeniedException"
    assert f"kms:Decrypt on resource: {key} because no identity-based policy allows the kms:Decrypt action" in message
    via = {"StringEquals": {"kms:ViaService": "ssm.eu-central-1.amazonaws.com"}}
    role.may(read, {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": via})
    ssm.get_parameter(Name="/own", WithDecryption=True)


def test_the_policy_of_a_queue_grants_and_denies(
    role: Role, aws: Callable[[str], Client], queue: str, account: str
) -> None:
    sqs = role.client("sqs")
    assert denied(sqs.send_message, QueueUrl=queue, MessageBody="a")[0] == "AccessDenied"
    grant = {**SEND, "Principal": {"AWS": role.arn}}
    aws("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": _document(grant)})
    sqs.send_message(QueueUrl=queue, MessageBody="a")
    deny = {"Effect": "Deny", "Action": "sqs:*", "Resource": "*", "Principal": {"AWS": account}}
    aws("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": _document(grant, deny)})
    assert denied(sqs.send_message, QueueUrl=queue, MessageBody="a")[2].endswith(
        "an explicit deny in a resource-based policy"
    )


def test_a_boundary_and_a_managed_policy_have_a_say(role: Role, aws: Callable[[str], Client], queue: str) -> None:
    iam = aws("iam")
    iam.attach_role_policy(RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess")
    sqs = role.client("sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="a")
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=_document({**SEND, "Action": "s3:*"}))
    iam.put_role_permissions_boundary(RoleName="worker", PermissionsBoundary=boundary["Policy"]["Arn"])
    message = denied(sqs.send_message, QueueUrl=queue, MessageBody="b")[2]
    assert message.endswith("because no permissions boundary allows the sqs:sendmessage action")


def test_a_role_is_assumed_by_whom_it_trusts_alone(role: Role, aws: Callable[[str], Client], account: str) -> None:
    role.may({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    aws("iam").create_role(RoleName="other", AssumeRolePolicyDocument=_document(trust))
    other = {"RoleArn": f"arn:aws:iam::{account}:role/other", "RoleSessionName": "two"}
    code, _, message = denied(role.client("sts").assume_role, **other)
    assert code == "AccessDenied"
    assert message.endswith("sts:AssumeRole because no role trust policy allows the sts:AssumeRole action")
    aws("iam").update_assume_role_policy(
        RoleName="other", PolicyDocument=_document({**trust, "Principal": {"AWS": role.arn}})
    )
    assert role.client("sts").assume_role(**other)["AssumedRoleUser"]["Arn"].endswith("assumed-role/other/two")


def test_a_token_of_github_begins_a_session_of_a_role_that_trusts_its_repository_alone(
    role: Role, aws: Callable[[str], Client], account: str, endpoint: str
) -> None:
    provider = f"arn:aws:iam::{account}:oidc-provider/{ISSUER}"
    trusted = {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": "repo:o/r:environment:prod"}}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": provider}}
    aws("iam").update_assume_role_policy(RoleName="worker", PolicyDocument=_document({**trust, "Condition": trusted}))
    sts: Any = boto3.Session(region_name="eu-central-1").client("sts", endpoint_url=endpoint, config=CONFIG)

    def assumed(subject: str) -> Any:
        return sts.assume_role_with_web_identity(
            RoleArn=role.arn, RoleSessionName="deploy", WebIdentityToken=token(subject)
        )

    code, _, message = denied(assumed, subject="repo:o/r:environment:prod")
    assert (code, ISSUER in message) == ("InvalidIdentityToken", True)
    aws("iam").create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=[AUDIENCE], ThumbprintList=["0" * 40]
    )
    assert denied(assumed, subject="repo:o/other:environment:prod") == (
        "AccessDenied",
        403,
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    )
    session = assumed("repo:o/r:environment:prod")["AssumedRoleUser"]["Arn"]
    assert session == f"arn:aws:sts::{account}:assumed-role/worker/deploy"


def test_what_a_role_did_is_reported_and_what_nobody_judged_passes(
    role: Role, queue: str, endpoint: str, account: str
) -> None:
    role.may(SEND)
    sqs = role.client("sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="a")
    denied(sqs.purge_queue, QueueUrl=queue)
    sqs.list_queues()
    role.client("sts").get_caller_identity()
    [found] = [each for each in reports(endpoint) if each.role == role.arn]
    assert [(each.action, each.calls, each.needed_by) for each in found.used] == [
        ("sqs:SendMessage", 1, {"sqs:SendMessage": 1})
    ]
    assert [each.action for each in found.unused] == ["sqs:GetQueueUrl"]
    assert [(each.operation, each.resource, each.calls) for each in found.denied] == [
        ("sqs:PurgeQueue", f"arn:aws:sqs:eu-central-1:{account}:emails", 1)
    ]
    assert found.unknown == {"sqs:ListQueues": 1}


def test_to_judge_a_call_takes_less_than_a_tenth_of_it(aws: Callable[[str], Client], queue: str, account: str) -> None:
    """The fastest of many, which other work on the machine did not hold up. Policies are read once for each text."""
    assert queue
    policies = Policies((parse(_document(SEND), name="task", kind=PolicyKind.IDENTITY),))
    caller = Session(session(f"arn:aws:iam::{account}:role/worker", "task-1"))
    gate = Gate(lambda *_: caller, lambda *_: False, lambda *_: policies, lambda *_: [])
    call, to = ApiCall("sqs", "GetQueueUrl", ApiProtocol.JSON), Destination("eu-central-1", account)
    named, sqs = {"QueueName": "emails"}, aws("sqs")
    assert gate.check(TEMPORARY, call, named, to) is None
    judged = _fastest(1000, lambda: gate.check(TEMPORARY, call, named, to))
    assert judged < _fastest(100, lambda: sqs.get_queue_url(**named)) / 10


def _fastest(times: int, act: Callable[[], object]) -> float:
    """The seconds that it takes at least."""
    found = math.inf
    for _ in range(times):
        began = time.perf_counter()
        act()
        found = min(found, time.perf_counter() - began)
    return found


def test_what_docker_does_with_layers_is_judged_as_of_whoever_logged_in(
    role: Role, aws: Callable[[str], Client], endpoint: str, account: str
) -> None:
    aws("ecr").create_repository(repositoryName="emails/api")
    repository = f"arn:aws:ecr:eu-central-1:{account}:repository/emails/api"
    role.may({"Effect": "Allow", "Action": "ecr:GetDownloadUrlForLayer", "Resource": repository})
    login = Login(PrivateRegistry(account, "eu-central-1"), role.keys["AccessKeyId"])

    def asked(operation: str) -> tuple[int, str]:
        answer = request("GET", endpoint + login.of_layers(operation, "emails/api"), seconds=10)
        return answer.status, json.loads(answer.data).get("message", "")

    assert asked("GetDownloadUrlForLayer") == (200, "")
    status, message = asked("InitiateLayerUpload")
    assert status == 400
    assert f"is not authorized to perform: ecr:InitiateLayerUpload on resource: {repository}" in message
    [found] = [each for each in reports(endpoint) if each.role == role.arn]
    assert [each.action for each in found.used] == ["ecr:GetDownloadUrlForLayer"]
    assert [each.action for each in found.denied] == ["ecr:InitiateLayerUpload"]


def test_a_key_that_nobody_issued_is_refused(aws: Callable[[str], Client], queue: str, endpoint: str) -> None:
    invented: Any = boto3.Session("AKIA" + "A" * 16, "secret", region_name="eu-central-1")
    sqs, s3, iam = (invented.client(each, endpoint_url=endpoint, config=CONFIG) for each in ("sqs", "s3", "iam"))
    assert denied(sqs.send_message, QueueUrl=queue, MessageBody="a")[:2] == ("InvalidClientTokenId", 403)
    assert denied(s3.list_buckets)[:2] == ("InvalidAccessKeyId", 403)
    assert denied(iam.list_roles)[:2] == ("InvalidClientTokenId", 403)
    aws("iam").create_user(UserName="ann")
    issued = aws("iam").create_access_key(UserName="ann")["AccessKey"]
    ann: Any = boto3.Session(issued["AccessKeyId"], issued["SecretAccessKey"], region_name="eu-central-1")
    assert ann.client("sts", endpoint_url=endpoint, config=CONFIG).get_caller_identity()["Arn"].endswith("user/ann")


def test_the_root_user_of_an_account_may_do_everything(aws: Callable[[str], Client], queue: str) -> None:
    assert re.search("emails$", queue)
    aws("sqs").purge_queue(QueueUrl=queue)
