"""`environments/run`: Terraform on a root as a person runs it, from an empty account on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.cloud.aws_client import ACCOUNT, CREDENTIALS, REGION
from sim.cloud.local import LocalCloud
from sim.host.cleanup import Cleanup
from sim.host.command import CommandFailed, run
from sim.terraform import installation
from sim.terraform.root_order import TERRAFORM
from tests.terraform.conftest import client

pytestmark = pytest.mark.timeout(600)

NAME = "trial"
STATES = f"emails-{NAME}-state-{ACCOUNT}"


@dataclass(frozen=True)
class Checkout:
    """A copy of what a person has of the roots and their settings, with credentials of the local cloud."""

    folder: Path
    environment: dict[str, str]

    def terraform(self, root: str, *arguments: str) -> str:
        """What `environments/run` prints. Raises CommandFailed."""
        command = [str(self.folder / "environments/run"), NAME, root, *arguments]
        return run(command, environment=self.environment, remedy="")

    def settle(self, root: str, settings: str) -> None:
        """Writes the file of a root."""
        (self.folder / "environments" / NAME / f"{root}.tfvars").write_text(settings)


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with Cleanup() as cleanup:
        cloud = LocalCloud(cleanup, (), print)
        cloud.open()
        try:
            cloud.await_ready()
            yield cloud
        finally:
            cloud.stop()


@pytest.fixture
def checkout(provider: None, cloud: LocalCloud, tmp_path: Path) -> Checkout:  # noqa: ARG001
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "tests")
    for folder in (TERRAFORM, TERRAFORM.parent / "environments"):
        shutil.copytree(folder, tmp_path / folder.name, ignore=ignored)
    shutil.copytree(tmp_path / "environments/production", tmp_path / "environments" / NAME)
    (tmp_path / f"environments/{NAME}/environment.tfvars").write_text(f'environment = "{NAME}"\nname = "emails"\n')
    environment = {
        **CREDENTIALS,
        **installation.environment(tmp_path, os.environ),
        "AWS_ACCOUNT_ID": ACCOUNT,
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TF_CLI_ARGS": "-no-color",
    }
    return Checkout(tmp_path, environment)


def test_the_bucket_of_states_has_its_own_state_until_it_may_go(checkout: Checkout, cloud: LocalCloud) -> None:
    s3 = client("s3", cloud.endpoint)

    def states() -> list[str]:
        return [each["Key"] for each in s3.list_objects_v2(Bucket=STATES).get("Contents", [])]

    def left() -> list[Path]:
        folder = checkout.folder / "terraform/bootstrap"
        return [*folder.glob("*.tfstate*"), *folder.glob("*_override.tf")]

    checkout.terraform("bootstrap", "apply", "-auto-approve")
    assert states() == ["bootstrap/terraform.tfstate"]
    assert left() == []
    with pytest.raises(CommandFailed, match=r"prevent_destroy(.|\n)*its state is in it as before"):
        checkout.terraform("bootstrap", "destroy", "-auto-approve")
    assert "No changes" in checkout.terraform("bootstrap", "plan")

    checkout.settle("bootstrap", "disposable = true\n")
    checkout.terraform("bootstrap", "state", "rm", "module.state.terraform_data.kept[0]")
    checkout.terraform("bootstrap", "apply", "-auto-approve")
    checkout.terraform("bootstrap", "destroy", "-auto-approve")
    assert s3.list_buckets()["Buckets"] == []
    assert left() == []


def test_what_cannot_be_run_is_refused_before_terraform_starts(checkout: Checkout) -> None:
    with pytest.raises(CommandFailed, match=r"trial has no root mail: environments/trial/mail.tfvars is not there"):
        checkout.terraform("mail", "plan")
    with pytest.raises(CommandFailed, match=r"there is no environment test; there are: production/ shared/"):
        run([str(checkout.folder / "environments/run"), "test", "cluster", "plan"], remedy="")
    with pytest.raises(CommandFailed, match=r"which environment, root and command\?"):
        run([str(checkout.folder / "environments/run")], remedy="")
