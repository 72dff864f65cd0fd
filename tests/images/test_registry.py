"""The image of a registry, official or made here: what is pushed to it can be pulled by its digest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.pipeline.version import version
from sim.host.cleanup import Cleanup
from sim.host.container import Container, Network, Spec, new_run, ports_of_engine
from sim.host.engine import obtain
from sim.host.engine_api import LABEL
from sim.host.loopback import answers
from sim.host.process import free_port
from sim.host.waiting import until
from sim.images.base_image import BaseImages, settings
from sim.images.build import build_image, id_of, tag
from sim.images.checkout import ROOT
from tests.images.containers import DOCKER

pytestmark = [pytest.mark.usefixtures("docker"), pytest.mark.timeout(600)]

PORT = 5000


@pytest.fixture
def registry(docker: None) -> Iterator[str]:  # noqa: ARG001 - which it needs
    """The host and port of a registry, which the engine on this machine speaks to without TLS."""
    run, image = new_run(), BaseImages.of(settings(os.environ)).registry
    obtain(image, print)
    with Cleanup() as cleanup:
        cleanup.owns("label", f"{LABEL}={run}")
        port, edge = free_port(), Network.create(run, "edge")
        Container.create(run, Spec("registry", id_of(image), {}, {edge: ()}, ports={PORT: port}))
        url = ports_of_engine().url(port)
        until(lambda: answers(f"{url}/v2/", seconds=2), "the registry to answer", seconds=30)
        yield url.removeprefix("http://")


def test_what_is_pushed_can_be_pulled_by_its_digest(registry: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    name = f"{registry}/emails/api:0.1.0"
    build_image(name, dockerfile=tmp_path / "Dockerfile", context=tmp_path, arguments={})
    built = id_of(name)
    DOCKER.image.push(name, quiet=True)
    [pushed] = DOCKER.image.inspect(name).repo_digests
    DOCKER.image.remove(name)
    assert not DOCKER.image.exists(built)
    DOCKER.image.pull(pushed, quiet=True)
    assert id_of(pushed) == built
    DOCKER.image.remove(pushed)


def test_what_images_are_built_on_is_pulled_from_a_registry_of_ones_own(registry: str) -> None:
    """By the digest that it has everywhere: so a mirror of the official image is as good as the official one."""
    base, mirrored = BaseImages.of(settings(os.environ)).python, f"{registry}/library/python:3.11"
    obtain(base, print)
    tag(base, mirrored)
    DOCKER.image.push(mirrored, quiet=True)
    [pinned] = [each for each in DOCKER.image.inspect(mirrored).repo_digests if each.startswith(registry)]
    DOCKER.image.remove(mirrored)
    assert not DOCKER.image.exists(pinned)
    named = f"{mirrored}@{pinned.rpartition('@')[2]}"
    said: list[str] = []
    obtain(named, said.append)
    assert said == [f"pulling {named}"]
    built = f"{registry}/worker"
    arguments = {"BASE_IMAGE": named, "VERSION": version("worker")}
    build_image(built, dockerfile=ROOT / "services/worker/Dockerfile", context=ROOT, arguments=arguments)
    try:
        labels = DOCKER.image.inspect(built).config.labels or {}
        assert labels["org.opencontainers.image.base.name"] == named
    finally:
        DOCKER.image.remove(built, force=True)
        DOCKER.image.remove(pinned, force=True)
