"""The images that ship, built and run by a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from python_on_whales.exceptions import DockerException

from services.pipeline.version import version
from sim.host.engine import EngineFailed
from sim.images.build import Images, build_image
from sim.images.service import SERVICES
from tests.images.containers import DOCKER, docker_run

pytestmark = [
    pytest.mark.parametrize("service", SERVICES),
    pytest.mark.timeout(600),
]

ROOT = Path(__file__).resolve().parents[2]


def test_the_label_and_the_code_have_the_version_of_the_file(image: str, service: str) -> None:
    labels = DOCKER.image.inspect(image).config.labels or {}
    file = docker_run(image, f"services/{service}/version.txt", entrypoint="cat").strip()
    assert {labels["org.opencontainers.image.version"], file} == {version(service)}


def test_a_label_names_the_base(images: Images, image: str, service: str) -> None:  # noqa: ARG001 - of each
    labels = DOCKER.image.inspect(image).config.labels or {}
    assert labels["org.opencontainers.image.base.name"] == images.bases.python


def test_another_version_than_the_file_says_is_not_built(images: Images, service: str) -> None:
    dockerfile = ROOT / "services" / service / "Dockerfile"
    arguments = {"BASE_IMAGE": images.bases.python, "VERSION": "0.0.0-other"}
    with pytest.raises(EngineFailed, match=r"version\.txt"):
        build_image("services/refused", dockerfile=dockerfile, context=ROOT, arguments=arguments)


def test_confined_and_not_as_root_it_starts_and_asks_for_its_settings(
    image: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DockerException) as caught:
        docker_run(image)
    assert caught.value.return_code == 2
    assert "QUEUE_URL: Field required" in capfd.readouterr().err
    assert docker_run(image, "-u", entrypoint="id").strip() == "10001"


def test_nothing_can_be_installed_into_it(image: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DockerException):
        docker_run(image, "-m", "pip", "--version", entrypoint="python")
    assert "No module named pip" in capfd.readouterr().err


def test_what_does_not_answer_is_not_healthy(image: str, service: str) -> None:
    with pytest.raises(DockerException) as caught:
        docker_run(image, "-m", f"services.{service}.health", entrypoint="python")
    assert caught.value.return_code == 1
