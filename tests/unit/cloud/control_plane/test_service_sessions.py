"""The keys that tasks and instances are handed: whose they are, how long they hold, and when there are none."""

from __future__ import annotations

from typing import Any

import pytest

from sim.aws.iam.policy import MalformedPolicy, Policy, PolicyKind, parse
from sim.cloud.control_plane.call import AwsError
from sim.cloud.control_plane.iam import permissions
from sim.cloud.control_plane.iam.service_sessions import (
    RENEWED_SECONDS,
    SESSION_SECONDS,
    Credentials,
    ServiceSessions,
)
from sim.cluster.desired import Desired
from tests.unit.agent.control_plane import PLACE, a_task, an_instance

ROLES = {
    "taskRoleArn": "arn:aws:iam::000000000000:role/api-task",
    "executionRoleArn": "arn:aws:iam::000000000000:role/api-execution",
}
INSTANCES = "arn:aws:iam::000000000000:role/instances"
ECS, EC2 = "ecs-tasks.amazonaws.com", "ec2.amazonaws.com"
PLAIN = a_task("t2")
TASK = a_task("t1", definition={**PLAIN.definition, **ROLES})
AT = {"account": PLACE.account, "region": PLACE.region}
CONFUSED_DEPUTY = {
    "StringEquals": {"aws:SourceAccount": PLACE.account},
    "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{PLACE.region}:{PLACE.account}:*"},
}


class Account:
    """An account with the roles of a task and of an instance, each with a trust policy, and a clock."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.begun: list[tuple[str, str]] = []
        self.trusts = {role: _trust(ECS, Condition=CONFUSED_DEPUTY) for role in ROLES.values()}
        self.trusts[INSTANCES] = _trust(EC2)
        self.sessions = ServiceSessions(
            lambda: Desired(1, (an_instance(1), an_instance(2)), (TASK, PLAIN)),
            lambda instance: INSTANCES if instance.id == "i-1" else "",
            self.trusts.get,
            self._begin,
            lambda: self.now,
        )

    def task(self, name: str = "t1", role: str = "task") -> dict[str, Any]:
        return self.sessions.of_task({**AT, "cluster": "mail", "task": name, "role": role})

    def instance(self, name: str) -> dict[str, Any]:
        return self.sessions.of_instance({**AT, "instance": name})

    def _begin(self, role: str, name: str, seconds: int) -> Credentials:
        self.begun.append((role, name))
        return Credentials(role, f"LSIA{len(self.begun)}", "secret", "token", self.now + seconds)


def _trust(host: str, **more: Any) -> Policy:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": host}, **more}
    return parse({"Version": "2012-10-17", "Statement": [statement]}, name="the role", kind=PolicyKind.TRUST)


def test_a_session_has_the_name_of_its_task_or_of_its_instance() -> None:
    account = Account()
    assert account.task()["RoleArn"] == ROLES["taskRoleArn"]
    assert account.task(role="execution")["RoleArn"] == ROLES["executionRoleArn"]
    assert account.instance("i-1")["RoleArn"] == INSTANCES
    assert account.begun == [
        (ROLES["taskRoleArn"], "t1"),
        (ROLES["executionRoleArn"], "t1"),
        (INSTANCES, "i-1"),
    ]


def test_keys_are_the_same_until_they_are_about_to_expire() -> None:
    account = Account()
    first = account.task()
    assert first["Expiration"] == "2023-11-15T04:13:20Z"
    account.now += SESSION_SECONDS - RENEWED_SECONDS
    assert account.task() == first
    account.now += 1
    assert account.task()["AccessKeyId"] != first["AccessKeyId"]


@pytest.mark.parametrize(("name", "role"), [("t2", "task"), ("t2", "execution"), ("t3", "task")])
def test_without_a_role_there_are_no_keys(name: str, role: str) -> None:
    with pytest.raises(AwsError) as refused:
        Account().task(name, role)
    assert refused.value.status == 404


@pytest.mark.parametrize("name", ["i-2", "i-3"])
def test_without_an_instance_profile_there_are_no_keys(name: str) -> None:
    with pytest.raises(AwsError) as refused:
        Account().instance(name)
    assert refused.value.status == 404


@pytest.mark.parametrize(
    "trust",
    [
        None,
        _trust(EC2),
        _trust(ECS, Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}}),
        _trust(ECS, Effect="Deny"),
    ],
)
def test_a_role_that_does_not_trust_ecs_is_not_assumed(trust: Policy | None) -> None:
    account = Account()
    del account.trusts[ROLES["taskRoleArn"]]
    if trust is not None:
        account.trusts[ROLES["taskRoleArn"]] = trust
    with pytest.raises(AwsError, match="ECS was unable to assume the role") as refused:
        account.task()
    assert (refused.value.code, account.begun) == ("AccessDenied", [])


@pytest.mark.parametrize(
    ("trust", "starts"), [(_trust(ECS, Condition=CONFUSED_DEPUTY), True), (_trust(EC2), False), (None, False)]
)
def test_ecs_starts_a_task_only_with_a_role_that_trusts_it(
    trust: Policy | None, starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permissions, "trust_of", lambda _: trust)
    task = f"arn:aws:ecs:{PLACE.region}:{PLACE.account}:task/new"
    assert permissions.assumable_by_ecs(ROLES["taskRoleArn"], task) is starts


def test_a_trust_policy_that_cannot_be_read_holds_no_task_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_: str) -> Policy:
        raise MalformedPolicy("the policy is malformed")

    monkeypatch.setattr(permissions, "trust_of", unreadable)
    assert permissions.assumable_by_ecs(ROLES["taskRoleArn"], "arn:aws:ecs:eu-central-1:000000000000:task/new")


def test_secrets_are_in_no_repr() -> None:
    assert "s3cret" not in repr(Credentials("role", "key", "s3cret", "s3cret", 0.0))
