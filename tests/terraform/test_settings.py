"""The files of `environments/`: each root is given what they say, and they say nothing that a root does not know.

Terraform itself reads them, for a root of nothing but its variables: so it needs no provider, no AWS and no state.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from release.roots import BOOTSTRAP, NEEDS
from sim.host.command import CommandFailed, run
from sim.terraform.root_order import TERRAFORM

ENVIRONMENTS: Final = TERRAFORM.parent / "environments"
NAMES: Final = sorted(each.name for each in ENVIRONMENTS.iterdir() if each.is_dir())
YOURS: Final = {
    ("production", "cluster"): [
        "-var=domain_name=emails.example.com",
        "-var=certificate_arn=arn:aws:acm:eu-central-1:123456789012:certificate/1",
    ]
}
"""What the files leave to whoever deploys, by environment and root."""
SETTLED_AT_DEPLOYMENT: Final = {"state_bucket": "emails-states-1", "image_tag": "1.2.3"}


def files(environment: Path, root: str) -> tuple[Path, Path]:
    """The two files of a root, in their order."""
    return environment / "environment.tfvars", environment / f"{root}.tfvars"


def roots(environment: Path) -> set[str]:
    """The roots that an environment has settings for."""
    found = {str(each.relative_to(environment).with_suffix("")) for each in environment.rglob("*.tfvars")}
    return found - {"environment"}


def values(root: str, options: list[str], work: Path, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """What a root's variables are under these options of `terraform plan`. Raises CommandFailed."""
    folder = work / root
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(TERRAFORM / root / "variables.tf", folder)
    declared = re.findall(r'^variable "(\w+)"', (folder / "variables.tf").read_text(), re.MULTILINE)
    variables = {f"TF_VAR_{name}": value for name, value in SETTLED_AT_DEPLOYMENT.items() if name in declared}
    terraform = ["terraform", f"-chdir={folder}"]
    output = run(
        [*terraform, "plan", "-input=false", "-no-color", "-out=plan", *options],
        environment={"CHECKPOINT_DISABLE": "1", **variables, **(environment or {})},
        remedy="",
    )
    assert "undeclared" not in output, output
    shown: dict[str, dict[str, Any]] = json.loads(run([*terraform, "show", "-json", "plan"], remedy=""))["variables"]
    return {name: variable.get("value") for name, variable in shown.items()}


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_names_itself_and_has_a_file_for_each_of_its_roots(name: str) -> None:
    environment = ENVIRONMENTS / name
    assert f'environment = "{name}"' in (environment / "environment.tfvars").read_text()
    assert roots(environment) <= set(NEEDS)
    assert BOOTSTRAP in roots(environment)


@pytest.mark.usefixtures("terraform")
@pytest.mark.parametrize(
    ("name", "root"), [(name, root) for name in NAMES for root in sorted(roots(ENVIRONMENTS / name))]
)
def test_a_root_takes_every_setting_of_its_files(name: str, root: str, tmp_path: Path) -> None:
    given = [f"-var-file={file}" for file in files(ENVIRONMENTS / name, root)]
    assert values(root, [*given, *YOURS.get((name, root), [])], tmp_path)["environment"] == name


@pytest.mark.usefixtures("terraform")
def test_production_is_refused_until_it_has_a_certificate(tmp_path: Path) -> None:
    given = [f"-var-file={file}" for file in files(ENVIRONMENTS / "production", "cluster")]
    with pytest.raises(CommandFailed, match="certificate_arn and domain_name must be given"):
        values("cluster", given, tmp_path)


@pytest.mark.usefixtures("terraform")
def test_a_setting_that_no_root_knows_is_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tfvars"
    wrong.write_text('environment = "staging"\ntokn_version = 2\n')
    with pytest.raises(AssertionError, match="undeclared variable"):
        values("messaging", [f"-var-file={wrong}"], tmp_path)
    wrong.write_text('environment = "staging"\nmax_receive_count = 0\n')
    with pytest.raises(CommandFailed, match="max_receive_count must be"):
        values("messaging", [f"-var-file={wrong}"], tmp_path)
