"""The workflows and the trust of Terraform's roles, read together: each job that takes a role can take that one alone.

What GitHub says of a job in its token: https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TERRAFORM = (ROOT / "terraform/github/main.tf").read_text()

REPOSITORY, BRANCH = "someone/emails", "main"
ENVIRONMENTS = ("staging", "production")
VARIABLES = {
    "vars.NAME": "emails",
    "vars.AWS_ACCOUNT_ID": "123456789012",
    "vars.ENVIRONMENTS": json.dumps(ENVIRONMENTS),
    "fromJSON(vars.ENVIRONMENTS)[0]": ENVIRONMENTS[0],
}


@dataclass(frozen=True)
class Taking:
    """A job that takes a role, as GitHub runs it: which role, under which subject."""

    workflow: str
    job: str
    role: str
    subject: str


def trusted() -> dict[str, str]:
    """The only subject that each role's trust names, by the role's ARN, for two environments of one account."""
    condition = re.search(r'variable = "\$\{local\.issuer\}:sub"\s+values\s+= \[each\.value\]', TERRAFORM)
    assert condition, "the trust is of one subject a role"
    assert re.search(r'test\s+= "StringEquals"\s+variable = "\$\{local\.issuer\}:sub"', TERRAFORM)
    assert 'name                 = "${local.name}-github-${each.key}"' in TERRAFORM
    said = dict(
        re.findall(
            r'^\s+(\w+)\s+= ("repo:[^"\n]*"|"\$\{local\.environment_subject\}[^"]*"|local\.environment_subject)$',
            TERRAFORM,
            re.MULTILINE,
        )
    )
    assert {"build", "deploy", "plan", "infra"} <= set(said)
    inside = said.pop("environment_subject")
    return {
        f"arn:aws:iam::123456789012:role/emails-{environment}-github-{role}": _filled(subject, inside, environment)
        for role, subject in said.items()
        for environment in ENVIRONMENTS
    }


def _filled(subject: str, inside: str, environment: str) -> str:
    text = subject.strip('"').replace("${local.environment_subject}", "local.environment_subject")
    text = text.replace("local.environment_subject", inside.strip('"'))
    return (
        text.replace("${var.repository}", REPOSITORY)
        .replace("${var.branch}", BRANCH)
        .replace("${coalesce(var.github_environment, var.environment)}", environment)
    )


def takings() -> list[Taking]:
    """Every job that takes a role, once for each environment that it may be run for."""
    found = []
    for file, (name, job) in itertools.chain.from_iterable(((f, each) for each in jobs(f).items()) for f in WORKFLOWS):
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("aws-actions/configure-aws-credentials@"):
                found += [_taking(file, name, job, step["with"]["role-to-assume"], each) for each in ENVIRONMENTS]
    return found


def jobs(file: Path) -> dict[str, Any]:
    made: dict[str, Any] = YAML(typ="safe").load(file)["jobs"]
    return made


def _taking(file: Path, name: str, job: dict[str, Any], role: str, environment: str) -> Taking:
    values = {**VARIABLES, "matrix.environment": environment, "inputs.environment": environment}

    def said(text: str) -> str:
        filled = re.sub(r"\$\{\{\s*([\w.()\[\]]+)\s*\}\}", lambda found: values.get(found[1], found[0]), text)
        assert "${{" not in filled, filled
        return filled

    inside = said(job["environment"]) if "environment" in job else None
    claim = f"environment:{inside}" if inside else f"ref:refs/heads/{BRANCH}"
    return Taking(file.name, name, said(role), f"repo:{REPOSITORY}:{claim}")


TAKINGS = takings()


def test_the_jobs_that_take_roles_are_those_that_need_one() -> None:
    assert {(each.workflow, each.job) for each in TAKINGS} == {
        ("release.yml", "unpublished"),
        ("release.yml", "publish"),
        ("deploy.yml", "deploy"),
        ("infra.yml", "plan"),
        ("infra.yml", "apply"),
    }


@pytest.mark.parametrize(
    "taking", TAKINGS, ids=lambda each: f"{each.workflow}-{each.job}-{each.role.partition('/')[2]}"
)
def test_a_job_can_take_the_role_that_it_names_and_none_of_another_kind(taking: Taking) -> None:
    roles = {role for role, subject in trusted().items() if subject == taking.subject}
    assert taking.role in roles
    assert {role.rpartition("-")[2] for role in roles} == {taking.role.rpartition("-")[2]}


def test_only_the_build_role_is_for_more_than_one_environment() -> None:
    """What is merged is published for all; whatever else is done is done to one, under that one's rules."""
    by_subject: dict[str, set[str]] = {}
    for role, subject in trusted().items():
        by_subject.setdefault(subject, set()).add(role)
    shared = [roles for roles in by_subject.values() if len(roles) > 1]
    assert [{role.rpartition("-")[2] for role in roles} for roles in shared] == [{"build"}]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_has_no_permission_and_a_job_asks_for_identity_only_to_take_a_role(file: Path) -> None:
    assert YAML(typ="safe").load(file)["permissions"] == {}
    taking = {each.job for each in TAKINGS if each.workflow == file.name}
    asked = {each.workflow for each in TAKINGS}
    calling = {name for name, job in jobs(file).items() if Path(job.get("uses", "")).name in asked}
    asking = {name for name, job in jobs(file).items() if job["permissions"].get("id-token") == "write"}
    assert asking == taking | calling


def test_what_pull_requests_may_run_takes_no_role_that_changes_anything() -> None:
    for file in WORKFLOWS:
        workflow = YAML(typ="safe").load(file)
        if "pull_request" in workflow["on"]:
            changing = {each.job for each in TAKINGS if each.workflow == file.name and not each.role.endswith("-plan")}
            assert all("github.event_name == 'push'" in workflow["jobs"][name]["if"] for name in changing)
        assert "pull_request_target" not in workflow["on"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_one_commit_and_the_same_one_everywhere(file: Path) -> None:
    everywhere = "\n".join(each.read_text() for each in WORKFLOWS)
    for action, pin in re.findall(r"uses: ([\w-]+/[\w-]+)@([^#]+# v[\d.]+)", file.read_text()):
        assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), f"{action}@{pin}"
        assert set(re.findall(rf"uses: {action}@([^#]+# v[\d.]+)", everywhere)) == {pin}
