"""The images that ship, built and run by a real engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.pipeline.version import version
from sim.host.command import CommandFailed
from sim.images import engine
from sim.images.service import SERVICES
from tests.images.containers import docker_run, inspect

pytestmark = [
    pytest.mark.parametrize("service", SERVICES),
    pytest.mark.timeout(600),
]

ROOT = Path(__file__).resolve().parents[2]


def test_the_label_the_tag_and_the_code_say_the_version_of_the_file(image: str, service: str) -> None:
    labels = json.loads(inspect(image, "{{json .Config.Labels}}"))
    said = docker_run(image, "--entrypoint", "cat", command=(f"services/{service}/version.txt",)).strip()
    assert {labels["org.opencontainers.image.version"], image.rpartition(":")[2], said} == {version(service)}


def test_another_version_than_the_file_says_is_not_built(images: dict[str, str], service: str) -> None:
    dockerfile = ROOT / "services" / service / "Dockerfile"
    told = {"BASE_IMAGE": images["BASE_IMAGE"], "VERSION": "0.0.0-other"}
    with pytest.raises(CommandFailed, match=r"version\.txt"):
        engine.build("services/refused", dockerfile=dockerfile, context=ROOT, arguments=told)


def test_confined_and_not_as_root_it_starts_and_asks_for_its_settings(image: str) -> None:
    with pytest.raises(CommandFailed, match="QUEUE_URL: Field required") as caught:
        docker_run(image)
    assert caught.value.status == 2
    assert docker_run(image, "--entrypoint", "id", command=("-u",)) == "10001\n"


def test_nothing_can_be_installed_into_it(image: str) -> None:
    with pytest.raises(CommandFailed, match="No module named pip"):
        docker_run(image, "--entrypoint", "python", command=("-m", "pip", "--version"))


def test_what_does_not_answer_is_not_healthy(image: str, service: str) -> None:
    check = ("-m", f"services.{service}.health")
    with pytest.raises(CommandFailed) as caught:
        docker_run(image, "--entrypoint", "python", command=check)
    assert caught.value.status == 1
