"""Anybody's roots on the local cloud: applied in order from a copy, their files untouched, and destroyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.cloud.aws_client import local_session
from sim.terraform.project_roots import NotFetched, NotInLocalCloud, ProjectRoots
from sim.terraform.project_settings import ProjectSettings

pytestmark = pytest.mark.usefixtures("terraform")

AWS = """
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
  backend "gcs" {
    bucket = "states"
    prefix = "%s"
  }
}

provider "aws" {
  region  = "eu-central-1"
  profile = "work"
}
"""
FIRST = """
variable "greeting" {
  type = string
}

output "greeting" {
  value = "${var.greeting}, ${file("${path.module}/../shared/name.txt")}"
}
"""
SECOND = """
data "terraform_remote_state" "first" {
  backend = "gcs"
  config = {
    bucket = "states"
    prefix = "live/first"
  }
}

resource "aws_ssm_parameter" "greeting" {
  name  = "/any/greeting"
  type  = "String"
  value = data.terraform_remote_state.first.outputs.greeting
}
"""


def write(folder: Path, text: str) -> Path:
    """A root of one file."""
    folder.mkdir()
    (folder / "main.tf").write_text(text)
    return folder


@pytest.fixture
def roots(tmp_path: Path) -> ProjectSettings:
    """Two roots, of which the one that is named first reads the state of the other."""
    second = write(tmp_path / "second", AWS % "live/second" + SECOND)
    first = write(tmp_path / "first", AWS % "live/first" + FIRST)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/name.txt").write_text("you")
    (tmp_path / "values.tfvars").write_text('greeting = "hello"\n')
    return ProjectSettings((second, first), (tmp_path / "values.tfvars",))


def test_roots_are_applied_in_order_from_a_copy_and_destroyed(
    roots: ProjectSettings, endpoint: str, tmp_path: Path
) -> None:
    before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    ssm = local_session().client("ssm", endpoint_url=endpoint)
    work = ProjectRoots(tmp_path / "work", endpoint, roots, print)
    assert [each.root for each in work.apply()] == ["first", "second"]
    assert ssm.get_parameter(Name="/any/greeting")["Parameter"]["Value"] == "hello, you"

    changed = ProjectRoots(tmp_path / "work", endpoint, roots.changed({"greeting": "good day"}), print)
    (tmp_path / "shared/name.txt").write_text("all of you")
    changed.apply()
    assert ssm.get_parameter(Name="/any/greeting")["Parameter"]["Value"] == "good day, all of you"
    (tmp_path / "shared/name.txt").write_text("you")

    assert [each.root for each in work.destroy()] == ["second", "first"]
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/any/greeting")
    theirs = (each for each in tmp_path.rglob("*") if each.is_file() and not each.is_relative_to(tmp_path / "work"))
    assert {each: each.read_bytes() for each in theirs} == before


def test_what_cannot_be_had_is_named(endpoint: str, tmp_path: Path) -> None:
    nowhere = 'terraform {\n  required_providers {\n    x = {\n      source = "example.invalid/any/%s"\n    }\n  }\n}\n'
    given = ProjectSettings(tuple(write(tmp_path / each, nowhere % each) for each in ("one", "two")))
    with pytest.raises(NotFetched) as refused:
        ProjectRoots(tmp_path / "work", endpoint, given, print).apply()
    assert "  one: provider example.invalid/any/one\n  two: provider example.invalid/any/two\n" in str(refused.value)

    stream = 'resource "aws_kinesis_stream" "s" {\n  name        = "s"\n  shard_count = 1\n}\n'
    given = ProjectSettings((write(tmp_path / "stream", AWS % "stream" + stream),))
    with pytest.raises(NotInLocalCloud, match=r"^aws_kinesis_stream\.s needs CreateStream of Kinesis"):
        ProjectRoots(tmp_path / "more", endpoint, given, print).apply()
