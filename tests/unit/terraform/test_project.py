"""Anybody's roots: their order, what is different on the laptop, and what is said of what cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.terraform.configuration import Unreadable, configuration
from sim.terraform.project import BadRoot, Project, assignments, project
from sim.terraform.project_roots import lacks, not_fetched

S3 = 'terraform {\n  backend "s3" {\n    bucket = "states"\n    key = "%s"\n    dynamodb_table = "locks"\n  }\n}\n'
READS = """
data "terraform_remote_state" "network" {
  backend = "s3"
  config = {
    bucket = var.states
    key    = "${var.environment}/network.tfstate"
  }
}
"""
VARIABLES = {
    "text": "  type = string\n",
    "plain": "",
    "number": "  type = number\n",
    "names": "  type = list(string)\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two roots, of which the one that comes first by name reads the other's state, and a module of both."""
    write(tmp_path / "app", S3 % "live/app.tfstate" + READS + 'module "m" {\n  source = "../modules/m"\n}\n')
    write(tmp_path / "network", S3 % "live/network.tfstate" + 'provider "aws" {\n  profile = "work"\n}\n')
    write(tmp_path / "modules/m", 'locals {\n  text = file("${path.module}/../texts/a.txt")\n}\n')
    write(tmp_path / "modules/unused", "locals {}\n")
    (tmp_path / "modules/texts").mkdir()
    (tmp_path / "modules/texts/a.txt").write_text("a")
    return tmp_path


def write(root: Path, text: str) -> None:
    root.mkdir(parents=True)
    (root / "main.tf").write_text(text)


def of(folder: Path, *names: str) -> Project:
    return project([configuration(folder / each) for each in names])


def test_a_root_comes_after_those_whose_state_it_reads(folder: Path) -> None:
    assert [each.folder.name for each in of(folder, "app", "network").roots] == ["network", "app"]


def test_roots_that_read_no_state_are_in_the_order_given(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        write(tmp_path / name, "locals {}\n")
    assert [each.folder.name for each in of(tmp_path, "b", "a", "c").roots] == ["b", "a", "c"]


def test_what_the_roots_name_beside_them_belongs_to_the_project(folder: Path) -> None:
    found = of(folder, "app", "network")
    assert {str(each.relative_to(folder)) for each in found.parts} == {
        "app",
        "network",
        "modules/m",
        "modules/texts/a.txt",
    }
    assert found.folder == folder
    assert [found.name(each) for each in found.roots] == ["network", "app"]
    assert found.profiles == {"work"}


def test_states_are_files_beside_the_copies(folder: Path) -> None:
    found = of(folder, "app", "network")
    network, app = found.roots
    assert found.override(network, Path("/copies")) == 'terraform {\n  backend "local" {}\n}\n'
    text = found.override(app, Path("/copies"))
    assert 'data "terraform_remote_state" "network"' in text
    assert 'path = "/copies/network/terraform.tfstate"' in text


def test_single_variables_are_given_to_the_roots_that_declare_them_as_on_the_command_line(tmp_path: Path) -> None:
    write(tmp_path / "a", "".join(f'variable "{name}" {{\n{of}}}\n' for name, of in VARIABLES.items()))
    given = {"text": "1.0", "plain": 'say "x"', "number": "3", "names": '["a"]', "unknown": "1"}
    assert assignments(configuration(tmp_path / "a"), given) == (
        'text = "1.0"\nplain = "say \\"x\\""\nnumber = 3\nnames = ["a"]\n'
    )


def test_a_state_bucket_is_made_unless_a_root_makes_it(folder: Path) -> None:
    assert of(folder, "app", "network").state_buckets == ["states"]
    write(folder / "first", 'resource "aws_s3_bucket" "s" {\n  bucket = "states"\n}\n')
    assert of(folder, "first", "app", "network").state_buckets == []


def test_a_state_that_no_root_has_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(BadRoot, match=r'"network" in .*app reads a state that belongs to none of the roots'):
        of(folder, "app")


def test_a_state_file_of_another_root_is_found_by_its_path(tmp_path: Path) -> None:
    reads = 'data "terraform_remote_state" "n" {\n  backend = "local"\n  config = {\n    path = "%s"\n  }\n}\n'
    write(tmp_path / "app", reads % "../network/terraform.tfstate")
    write(tmp_path / "network", "locals {}\n")
    found = of(tmp_path, "app", "network")
    assert [each.folder.name for each in found.roots] == ["network", "app"]
    assert found.override(found.roots[0], Path("/copies")) == ""


def test_a_folder_without_terraform_and_a_file_with_an_error_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRoot, match="no root of Terraform"):
        project([configuration(tmp_path)])
    (tmp_path / "main.tf").write_text("resource {{\n")
    with pytest.raises(Unreadable, match=r"main\.tf cannot be read"):
        configuration(tmp_path)


def test_what_cannot_be_fetched_is_named_together() -> None:
    text = not_fetched(
        {
            "app": "Error: Failed to query available provider packages\n\nCould not retrieve the list of available "
            "versions for provider hashicorp/random: could not connect",
            "network": 'Error: Failed to download module\n\nCould not download module "vpc" (main.tf:1) source code',
        }
    )
    assert "  app: provider hashicorp/random\n" in text
    assert "  network: module vpc\n" in text
    assert "SIM_TERRAFORM_PLUGINS" in text


def test_what_the_local_cloud_lacks_is_named_with_its_resource_and_operation() -> None:
    error = """
Error: creating CloudFront Distribution: operation error CloudFront: CreateDistribution, https response error
StatusCode: 501, RequestID: 1, api error InternalFailure: Service 'cloudfront' is not enabled.

  with module.cdn["a"].aws_cloudfront_distribution.d,
  on main.tf line 1, in resource "aws_cloudfront_distribution" "d":

Error: creating IAM Role (r): operation error IAM: CreateRole, https response error StatusCode: 409, RequestID: 1

  with aws_iam_role.r,
  on main.tf line 9
"""
    [found] = lacks(error)
    assert found.startswith('module.cdn["a"].aws_cloudfront_distribution.d needs CreateDistribution of CloudFront')
