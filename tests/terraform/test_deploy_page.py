"""What `docs/deploy.md` says of the roots, typed in a local cloud: from an empty account to an empty account.

Each test goes on where the one before it has ended. Terraform's questions are answered with `yes`, as by a person.
What the page says of versions is in `tests/release`, so no image runs here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from release.roots import BOOTSTRAP, ORDER
from sim.cloud.aws_client import ACCOUNT, CREDENTIALS, NO_FILES, REGION
from sim.cloud.local import LocalCloud
from sim.host.cleanup import Cleanup
from sim.terraform.root_order import TERRAFORM
from tests.cloud.shared import Client
from tests.docs.test_commands import commands
from tests.terraform.account import made
from tests.terraform.conftest import client
from tests.terraform.module_registry import configuration, module_registry

pytestmark = pytest.mark.timeout(1800)

PAGE: Final = "docs/deploy.md"
STATES: Final = {name: f"emails-{name}-state-{ACCOUNT}" for name in ("shared", "staging")}
SETTINGS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "shared": {"account": {"kept_images": 7}},
    "staging": {
        "network": {"cidr": "10.9.0.0/16"},
        "messaging": {"max_receive_count": 9},
        "cluster": {"client_cidrs": ["192.0.2.0/24"]},
        "services/api": {"token_version": 7},
        "services/worker": {"min_tasks": 0},
        "monitoring": {"emails": ["staging@example.com"]},
        "github": {"github_environment": "test"},
    },
}
"""What the environments are given beside what their files say: by environment and root, none of it the default."""

LEFT_OUT: Final = re.compile(r"\baws ")
"""AWS's own command line, which not every machine has."""


@dataclass
class Person:
    """Somebody with a checkout, a shell, and credentials of the local cloud."""

    folder: Path
    environment: dict[str, str]

    def type(self, command: str) -> str:
        """What a command prints. What it exports is there for the next one. Raises AssertionError if it fails."""
        left = self.folder / "build/environment"
        left.parent.mkdir(exist_ok=True)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{command}\nenv -0 > {left}"],
            cwd=self.folder,
            env=self.environment,
            input="yes\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        self.environment = dict(each.split("=", 1) for each in left.read_text().split("\0") if each)
        return done.stdout

    def follow(self, section: str) -> None:
        """Types the commands of a section of the page, but for those that take what is not to be had here."""
        for command in commands(PAGE, marked=" aws", section=section):
            if not LEFT_OUT.search(command):
                self.type(command)

    def settle(self, environment: str, root: str, settings: Mapping[str, Any]) -> None:
        """Writes settings into the file of a root."""
        with (self.folder / "environments" / environment / f"{root}.tfvars").open("a") as file:
            file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """With nothing in it."""
    with Cleanup() as cleanup:
        cloud = LocalCloud(cleanup, (), print)
        cloud.open()
        try:
            cloud.await_ready()
            yield cloud
        finally:
            cloud.stop()


@pytest.fixture(scope="module")
def aws(cloud: LocalCloud) -> Callable[[str], Client]:
    """Makes clients of the account. To make one of EC2 takes seconds."""
    return cache(lambda service: client(service, cloud.endpoint))


@pytest.fixture(scope="module")
def person(
    provider: None,  # noqa: ARG001 - Terraform can have it
    cloud: LocalCloud,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Person]:
    """With a checkout whose settings are those of the repository and, for each root, one that is not the default."""
    folder, work = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("terraform")
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "*_override.tf", "tests")
    for each in (TERRAFORM, TERRAFORM.parent / "environments"):
        shutil.copytree(each, folder / each.name, ignore=ignored)
    for file in (folder / "environments").rglob("*.tfvars"):
        file.write_text(file.read_text().replace("OWNER/NAME", "someone/emails").replace(" = 0", " = 7"))
    (folder / ".venv").symlink_to(sys.prefix)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))},
        **CREDENTIALS,
        **NO_FILES,
        "AWS_ACCOUNT_ID": ACCOUNT,
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        "GOGC": "400",
        "TF_CLI_ARGS": "-no-color",
    }
    made = Person(folder, environment)
    for name, roots in SETTINGS.items():
        for root, given in roots.items():
            made.settle(name, root, given)
    with module_registry() as registry:
        made.environment |= configuration(work, registry)
        yield made


def test_what_cannot_be_run_is_refused_before_terraform_starts(person: Person) -> None:
    def refused(arguments: str) -> str:
        with pytest.raises(AssertionError) as failed:
            person.type(f"environments/run {arguments}")
        return str(failed.value)

    assert "staging has no root mail: environments/staging/mail.tfvars is not there" in refused("staging mail plan")
    assert "there is no environment test; there are: production/ shared/" in refused("test cluster plan")
    assert "which environment, root and command?" in refused("")


def test_from_an_empty_account_to_everything_but_what_runs(person: Person, aws: Callable[[str], Client]) -> None:
    assert {asked: names for asked, names in made(aws).items() if names} == {}
    person.follow("Before")
    person.follow("The first time")
    # Once GitHub's environments have their protection, says the page.
    person.follow("From GitHub")
    states = aws("s3").list_objects_v2(Bucket=STATES["staging"])["Contents"]
    assert {each["Key"].removesuffix("/terraform.tfstate") for each in states} == set(ORDER) - {"account"} | {BOOTSTRAP}
    assert list((person.folder / "terraform").rglob("*_override.tf")) == []


def test_workflows_find_what_a_person_has_applied(person: Person) -> None:
    """Each root's settings differ from the defaults: so any that infra did not have would be a change."""
    for environment, states in STATES.items():
        place = f"--environment {environment} --state-bucket {states}"
        assert "to be applied: nothing" in person.type(f".venv/bin/python -m release infra {place}")


def test_taken_down_as_the_page_says_nothing_is_left(person: Person, aws: Callable[[str], Client]) -> None:
    with pytest.raises(AssertionError, match=r"prevent_destroy(.|\n)*its state is in it as before"):
        person.type("environments/run shared bootstrap destroy")
    assert "No changes" in person.type("environments/run shared bootstrap plan")
    for root in ("account", "bootstrap"):
        person.settle("shared", root, {"disposable": True})
    person.follow("Taking it down")
    assert {asked: names for asked, names in made(aws).items() if names} == {}
    bootstrap = person.folder / "terraform/bootstrap"
    assert [*bootstrap.glob("*.tfstate*"), *bootstrap.glob("*_override.tf")] == []
