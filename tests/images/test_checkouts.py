"""Images of other checkouts than this one: beside it on one machine, or made under another umask."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from python_on_whales.exceptions import DockerException

from sim.images.build import Images, build_image, id_of
from tests.images.containers import DOCKER, docker_run

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).resolve().parents[2]
BUILD = """
import json, os
from sim.images.base_image import settings
from sim.images.build import build
print(json.dumps(build(settings(os.environ), lambda _: None).settings()))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[[str, int], Path]:
    """Makes a copy of this checkout in a folder of this name, as one under this umask has it."""

    def make(name: str, umask: int) -> Path:
        shutil.copytree(ROOT / "services", tmp_path / name / "services")
        shutil.copytree(ROOT / "sim", tmp_path / name / "sim")
        shutil.copy(ROOT / ".dockerignore", tmp_path / name)
        for path in (tmp_path / name, *(tmp_path / name).rglob("*")):
            path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)
        return tmp_path / name

    return make


@pytest.fixture
def build(images: Images) -> Iterator[Callable[[str, Path], str]]:
    """Builds a Dockerfile of a checkout, in it and as the same commit."""
    built: list[str] = []

    def build(dockerfile: str, checkout: Path) -> str:
        image = f"test/{checkout.name}:{len(built)}-{os.getpid()}"
        arguments = {"BASE_IMAGE": images.bases.python, "SOURCE_DATE_EPOCH": "1700000000"}
        build_image(image, dockerfile=checkout / dockerfile, context=checkout, arguments=arguments)
        built.append(image)
        return image

    yield build
    for image in built:
        DOCKER.image.remove(image, force=True)


def test_what_ships_is_the_same_under_any_umask_and_starts(
    checkout: Callable[[str, int], Path], build: Callable[[str, Path], str], capfd: pytest.CaptureFixture[str]
) -> None:
    images = [
        build("services/worker/Dockerfile", checkout(f"umask-{umask:03o}", umask)) for umask in (0o022, 0o002, 0o077)
    ]
    assert len({id_of(image) for image in images}) == 1
    with pytest.raises(DockerException):
        docker_run(images[-1])
    assert "QUEUE_URL: Field required" in capfd.readouterr().err


def test_the_kit_starts_under_a_umask_that_lets_nobody_else_read(
    checkout: Callable[[str, int], Path], build: Callable[[str, Path], str]
) -> None:
    kit = build("sim/images/kit.Dockerfile", checkout("umask-077", 0o077))
    assert "token" in docker_run(kit, "sim.cloud", "--help")


def test_two_checkouts_do_not_take_each_others_images(images: Images, checkout: Callable[[str, int], Path]) -> None:
    def built(folder: Path) -> dict[str, str]:
        environment = {**os.environ, **images.bases.settings()}
        done = subprocess.run(
            [sys.executable, "-c", BUILD], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        settings: dict[str, str] = json.loads(done.stdout)
        return {name: image for name, image in settings.items() if name not in images.bases.settings()}

    one, two = checkout("one", 0o022), checkout("two", 0o022)
    for module in ("services/api/app.py", "services/worker/worker.py", "sim/cloud/gateway/server.py"):
        with (two / module).open("a") as file:
            file.write("# another checkout\n")
    first = built(one)
    ids = {image: id_of(image) for image in first.values()}
    second = built(two)
    try:
        assert first.keys() == second.keys() == {"API_IMAGE", "CONTROL_PLANE_IMAGE", "KIT_IMAGE", "WORKER_IMAGE"}
        assert not set(first.values()) & set(second.values())
        assert {image: id_of(image) for image in first.values()} == ids
    finally:
        for image in (*first.values(), *second.values()):
            DOCKER.image.remove(image, force=True)
