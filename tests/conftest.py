"""What tests of several rooms share. The kit's own pytest plugin serves the tests of the kit as well."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from release.terraform import surroundings
from sim.cli.doctor import examine, missing
from sim.cloud.aws_client import NO_FILES
from sim.host.engine import EngineFailed
from sim.images.base_image import settings as image_settings
from sim.images.build import Images, build
from tests.cloud.shared import account, aws, cloud, endpoint

__all__ = ["account", "aws", "cloud", "endpoint"]

# No deadline: how long one example takes on a busy machine says nothing of the law that it tests.
settings.register_profile("laws", deadline=None, derandomize=False, print_blob=True)
settings.register_profile("thorough", parent=settings.get_profile("laws"), max_examples=2000)
settings.load_profile("laws")


def pytest_configure(config: pytest.Config) -> None:
    """No settings of the person's shell for AWS and Terraform reach the tests, and no proxy the loopback.

    The target `aws` takes those for AWS.
    """
    kept = surroundings(os.environ, {})
    for name in [name for name in os.environ if name not in kept]:
        del os.environ[name]
    if config.getoption("--target") != "aws":
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(NO_FILES)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "localhost")))


@pytest.fixture(scope="session")
def docker() -> None:
    """An engine with compose. Where there is none the test is skipped with what is missing; in CI it fails."""
    _insist("docker")


@pytest.fixture(scope="session")
def terraform() -> None:
    """Terraform with its provider. Where it is missing the test is skipped with what is; in CI it fails."""
    _insist("terraform")


@pytest.fixture(scope="session")
def npm() -> None:
    """npm with Node.js. Where it is missing the test is skipped with what is; in CI it fails."""
    _insist("npm")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium, and npm. Where one is missing the test is skipped with what is; in CI it fails."""
    _insist("browser")
    return str(shutil.which("chromium"))


@pytest.fixture(scope="session")
def images(docker: None) -> Images:  # noqa: ARG001 - they are built by it
    """All images, built from this checkout. Where they cannot be, the test is skipped; in CI it fails."""
    try:
        return build(image_settings(os.environ), print)
    except EngineFailed as error:
        _not_applicable(str(error))


@pytest.fixture(scope="session")
def dead_proxies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for DOCKER_CONFIG in which proxies for containers are set, and nobody is there."""
    folder = tmp_path_factory.mktemp("docker-config")
    proxies = {"httpProxy": "http://127.0.0.1:9", "httpsProxy": "http://127.0.0.1:9"}
    (folder / "config.json").write_text(json.dumps({"proxies": {"default": proxies}}))
    return folder


def _insist(target: str) -> None:
    lacking = "; ".join(f"{each.what}: {each.seen}: {each.remedy}" for each in missing(examine(), target))
    if lacking:
        _not_applicable(lacking)


def _not_applicable(lacking: str) -> NoReturn:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"not applicable: {lacking}")
