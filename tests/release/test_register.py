"""`sim register`: a version in ECR on a machine without Docker."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from services.pipeline.version import version
from sim.cli.main import app
from sim.cloud.aws_client import local_session
from sim.cloud.registry.source_image import source_of
from sim.images.checkout import ROOT
from sim.stack import lifecycle


def test_this_checkout_is_registered_as_the_present_version(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, account: str, tmp_path: Path
) -> None:
    stack = SimpleNamespace(endpoint=endpoint, versions=tmp_path / "versions")
    monkeypatch.setattr(lifecycle, "running", lambda _: stack)
    ecr = local_session().client("ecr", endpoint_url=endpoint)
    repository = f"register-{account}/api"
    ecr.create_repository(repositoryName=repository, imageTagMutability="IMMUTABLE")
    command = ["register", "api", "--repositories", f"register-{account}", "--json"]
    for _ in range(2):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
        [row] = json.loads(done.stdout)
        assert (row["repository"], row["version"]) == (repository, version("api"))
    [image] = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": row["digest"]}])["images"]
    source = source_of(image["imageManifest"])
    assert source is not None
    assert source.folder.parent == stack.versions
    assert (source.folder / "services/api/__main__.py").read_text() == (ROOT / "services/api/__main__.py").read_text()


def test_a_service_that_does_not_exist_is_named() -> None:
    done = CliRunner().invoke(app, ["register", "apis"])
    assert done.exit_code == 2
    assert "there is no service apis" in done.output
