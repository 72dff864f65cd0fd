"""The workflows and the trust of Terraform's roles, read together: each job that takes a role can take that one alone.

What GitHub says of a job in its token: https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from sim.host.command import run
from sim.terraform.configuration import blocks

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

REPOSITORY, BRANCH = "someone/emails", "main"
IDS = "{ owner = 9919, repository = 1042387461 }"
FORMS = {
    "repo:someone@9919/emails@1042387461": {"repository_ids": IDS},
    "repo:someone/emails": {"subjects_without_ids": "true"},
}
"""How the subjects of a repository begin, as GitHub issues them, and what the roots are given for it."""
ENVIRONMENTS = ("staging", "production")
VARIABLES = {
    "vars.NAME": "emails",
    "vars.AWS_ACCOUNT_ID": "123456789012",
    "vars.ENVIRONMENTS": json.dumps(ENVIRONMENTS),
    "vars.INFRA_ENVIRONMENTS": json.dumps(["shared", *ENVIRONMENTS]),
    "fromJSON(vars.ENVIRONMENTS)[0]": ENVIRONMENTS[0],
}


@dataclass(frozen=True)
class Taking:
    """A job that takes a role, as GitHub runs it: which role, and what the subject says after the repository."""

    workflow: str
    job: str
    role: str
    claim: str


@pytest.fixture(scope="module", params=FORMS, ids=["with numbers", "names alone"])
def trusted(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    terraform: None,  # noqa: ARG001
) -> dict[str, str]:
    """The only subject that each role trusts, by the role's ARN, for two environments of one account."""
    work = tmp_path_factory.mktemp("subjects")
    roots = [("account", "shared"), *(("github", environment) for environment in ENVIRONMENTS)]
    return {
        f"arn:aws:iam::123456789012:role/emails-{environment}-github-{role}": subject
        for root, environment in roots
        for role, subject in subjects(root, {"environment": environment, **FORMS[request.param]}, work).items()
    }


def subjects(root: str, variables: dict[str, str], work: Path) -> dict[str, str]:
    """What Terraform makes of a root's `subjects.tf`, which needs no provider."""
    folder = work / root
    folder.mkdir(exist_ok=True)
    for file in ("subjects.tf", "variables.tf"):
        shutil.copy(ROOT / "terraform" / root / file, folder)
    shutil.copytree(ROOT / "terraform/modules/github_subject", work / "modules/github_subject", dirs_exist_ok=True)
    given = {"repository": REPOSITORY, "state_bucket": "states", "apply_from_github": "true", **variables}
    environment = {"CHECKPOINT_DISABLE": "1", **{f"TF_VAR_{name}": value for name, value in given.items()}}
    for command in (["init"], ["plan", "-out=plan", "-input=false"]):
        run(["terraform", f"-chdir={folder}", *command, "-no-color"], environment=environment, remedy="")
    shown = json.loads(run(["terraform", f"-chdir={folder}", "show", "-json", "plan"], remedy=""))
    found: dict[str, str] = shown["planned_values"]["outputs"]["subjects"]["value"]
    return found


def takings() -> list[Taking]:
    """Every job that takes a role, once for each environment that it may be run for."""
    found = []
    for file, (name, job) in itertools.chain.from_iterable(((f, each) for each in jobs(f).items()) for f in WORKFLOWS):
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("aws-actions/configure-aws-credentials@"):
                every = ("shared", *ENVIRONMENTS) if file.name == "infra.yml" else ENVIRONMENTS
                found += [_taking(file, name, job, step["with"]["role-to-assume"], each) for each in every]
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
    return Taking(file.name, name, said(role), claim)


TAKINGS = takings()


def test_the_jobs_that_take_roles_are_those_that_need_one() -> None:
    assert {(each.workflow, each.job) for each in TAKINGS} == {
        ("amis.yml", "newest"),
        ("release.yml", "unpublished"),
        ("release.yml", "publish"),
        ("deploy.yml", "deploy"),
        ("infra.yml", "plan"),
        ("infra.yml", "apply"),
    }


@pytest.mark.parametrize(
    "taking", TAKINGS, ids=lambda each: f"{each.workflow}-{each.job}-{each.role.partition('/')[2]}"
)
def test_a_job_can_take_the_role_that_it_names_and_no_other(taking: Taking, trusted: dict[str, str]) -> None:
    [repository] = {subject.partition(":environment")[0].partition(":ref")[0] for subject in trusted.values()}
    assert repository in FORMS
    assert [role for role, subject in trusted.items() if subject == f"{repository}:{taking.claim}"] == [taking.role]


def test_no_subject_takes_two_roles(trusted: dict[str, str]) -> None:
    assert len(set(trusted.values())) == len(trusted)
    assert len({role.rpartition("-")[2] for role in trusted}) == len(["build", "deploy", "plan", "infra"])


def sessions() -> dict[str, int]:
    """How long credentials of each role may last at most (seconds), by what the role is for."""
    roots, hour = ROOT / "terraform", 3600
    made = {
        "build": (roots / "account/main.tf", "build"),
        "deploy": (roots / "github/main.tf", "role"),
        "plan": (roots / "modules/github_infra/main.tf", "role"),
        "infra": (roots / "modules/github_infra/main.tf", "role"),
    }
    modules = {role: {name: body for (name,), body in blocks(file, "module")} for role, (file, _) in made.items()}
    return {role: int(modules[role][name].get("session_seconds", hour)) for role, (_, name) in made.items()}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_credentials_last_as_long_as_the_job_that_takes_them_may_run(file: Path) -> None:
    """Those of a job that outlived them would end a deployment in its middle, and the way back too."""
    for job in jobs(file).values():
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("aws-actions/configure-aws-credentials@"):
                asked = step["with"].get("role-duration-seconds", 3600)
                role = step["with"]["role-to-assume"].rpartition("-")[2]
                assert 60 * job["timeout-minutes"] <= asked <= sessions()[role], f"{file.name}: {role}"


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
