"""Terraform's roles may do what the tests saw them need, and nothing more without a reason.

What they need is in a file that `tests/recorded_permissions.py` writes.
"""

from __future__ import annotations

from pathlib import Path

from checks.role_policies import granted, reasons
from checks.terraform_code import TERRAFORM
from sim.cloud.permissions import GivenPermission, RoleReport
from tests.recorded_permissions import MANAGED, Given, merged, needed, recorded

ROLES = {
    "account build": ("github-build",),
    "github deploy": ("github-deploy",),
    "github plan": ("github-plan",),
    "modules/github_infra plan": ("github-plan",),
    "modules/task execution": ("api-execution", "worker-execution"),
    "services/api task": ("api-task",),
    "services/worker task": ("worker-task",),
}
"""Which roles have each document."""
IN_TERRAFORM = {
    Given(role, each.statement, each.action): each.has_reason
    for each in granted(TERRAFORM)
    for role in ROLES[f"{each.folder} {each.document}"]
}
"""Every permission of every role, and whether a reason stands beside it."""
RECORDED = {given: operations for given, operations in recorded().items() if given.statement != MANAGED}
OF_AWS = {given.action: operations for given, operations in recorded().items() if given.statement == MANAGED}
REMEDY = "record again as docs/control-plane.md says, or take away from Terraform or from the file what is too much"


def test_what_was_recorded_is_what_terraform_gives() -> None:
    assert RECORDED.keys() == IN_TERRAFORM.keys(), REMEDY


def test_without_any_permission_something_would_be_denied_or_a_reason_stands_beside_it() -> None:
    superfluous = [given for given, reason in IN_TERRAFORM.items() if not RECORDED.get(given) and not reason]
    assert superfluous == [], REMEDY


def test_a_reason_stands_beside_nothing_that_is_needed() -> None:
    assert [given for given, reason in IN_TERRAFORM.items() if RECORDED.get(given) and reason] == []


def test_a_policy_of_awss_own_that_nothing_needs_has_its_reason() -> None:
    said = {name for file in TERRAFORM.rglob("*.tf") for name in reasons(file.read_text()) if ":" not in name}
    assert {policy for policy, operations in OF_AWS.items() if not operations} == said


def test_a_statement_says_what_it_allows_and_a_comment_in_it_why(tmp_path: Path) -> None:
    (tmp_path / "versions.tf").touch()
    (tmp_path / "main.tf").write_text(
        """
data "aws_iam_policy_document" "task" {
  statement {
    # Unused locally (sqs:PurgeQueue, sqs:Get*): nobody asks.
    sid       = "Queue"
    actions   = ["sqs:PurgeQueue", "sqs:Get*", "sqs:SendMessage"]
    resources = ["*"]
  }

  statement {
    sid     = "OfTheQueue"
    actions = ["sqs:SendMessage"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}
"""
    )
    found = granted(tmp_path)
    assert {(each.folder, each.document, each.statement) for each in found} == {(".", "task", "Queue")}
    reasoned = [(each.action, each.has_reason) for each in found]
    assert reasoned == [("sqs:PurgeQueue", True), ("sqs:Get*", True), ("sqs:SendMessage", False)]


def test_what_is_recorded_is_what_would_be_denied_without_each_permission() -> None:
    send = GivenPermission("sqs:SendMessage", "service", "Publish", ("*",), 3, {"sqs:SendMessageBatch": 3})
    idle = GivenPermission("sqs:GetQueueUrl", "service", "Publish", ("*",))
    of_aws = [
        GivenPermission(action, "arn:aws:iam::aws:policy/SecurityAudit", "1", ("*",), 1, {operation: 1})
        for action, operation in (("ec2:Describe*", "ec2:DescribeVpcs"), ("s3:List*", "s3:ListBuckets"))
    ]
    ours = RoleReport("arn:aws:iam::000000000000:role/emails-local-api-task", (send, *of_aws), (idle,), (), {})
    other = RoleReport("arn:aws:iam::000000000000:role/aws-service-role/scaling", (send,), (), (), {})
    assert needed((ours, other)) == {
        Given("api-task", "Publish", "sqs:SendMessage"): {"sqs:SendMessageBatch"},
        Given("api-task", "Publish", "sqs:GetQueueUrl"): set(),
        Given("api-task", MANAGED, "SecurityAudit"): {"ec2:DescribeVpcs", "s3:ListBuckets"},
    }


def test_a_run_adds_to_what_others_have_recorded() -> None:
    one, other = Given("a", "S", "sqs:SendMessage"), Given("a", "S", "sqs:GetQueueUrl")
    both = merged({one: frozenset({"x"})}, {one: frozenset({"y"}), other: frozenset()})
    assert both == {one: {"x", "y"}, other: set()}
