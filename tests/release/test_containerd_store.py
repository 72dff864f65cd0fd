"""An engine that keeps its images in containerd, as new installations of Docker do: what it has is published too.

https://docs.docker.com/engine/storage/containerd/
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from python_on_whales import DockerClient

from release.cli import FAILED, main
from sim.cloud.aws_client import REGION
from sim.host.cleanup import Cleanup
from sim.host.process import Process
from sim.host.waiting import until
from tests.cloud.ecr import pull
from tests.cloud.shared import Client
from tests.release.test_real_image import write_image
from tests.unit.release.conftest import BASE, Repository, labels

pytestmark = pytest.mark.timeout(300)

NAME, VERSION = "emails-test/api", "0.1.0"
STOP_SECONDS = 30
BRIDGE = "203.0.113.241/28"
"""An address that is nobody's: https://www.rfc-editor.org/rfc/rfc5737"""


@pytest.fixture(scope="module")
def engine(docker: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - its packages
    """Where an engine of its own listens. It runs no containers; but it needs root.

    It has a bridge of its own too: with none it would take away the bridge of the engine that is there.
    """
    if shutil.which("dockerd") is None or shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("not applicable: only root starts an engine, and only where it is installed")
    folder = tmp_path_factory.mktemp("engine")
    settings = {"features": {"containerd-snapshotter": True}, "storage-driver": "native"}
    (folder / "daemon.json").write_text(json.dumps(settings))
    host = f"unix://{folder}/socket"
    folders = [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
    bridge = f"sim{uuid.uuid4().hex[:8]}"
    closed = [f"--bridge={bridge}", "--iptables=false", "--ip6tables=false"]
    command = ["dockerd", f"--config-file={folder / 'daemon.json'}", f"--host={host}", *folders, *closed]
    for arguments in (f"link add {bridge} type bridge", f"address add {BRIDGE} dev {bridge}"):
        subprocess.run(["ip", *arguments.split()], check=True)
    with Cleanup() as cleanup:
        daemon = Process("dockerd", command, os.environ, cleanup)
        daemon.start()

        def answers() -> bool:
            daemon.check()
            asked = subprocess.run(["docker", "--host", host, "version"], capture_output=True, check=False)
            return asked.returncode == 0

        try:
            until(answers, "the engine to answer", seconds=60, seen=daemon.tail)
            yield host
        finally:
            daemon.terminate()
            daemon.wait(STOP_SECONDS)
            subprocess.run(["ip", "link", "delete", bridge], check=True)


@pytest.fixture
def ecr(
    aws: Callable[[str], Client], endpoint: str, account: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> Client:
    """A client; there is a repository, and this process asks that engine and that account."""
    for variable, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "DOCKER_HOST": engine,
    }.items():
        monkeypatch.setenv(variable, value)
    ecr = aws("ecr")
    ecr.create_repository(repositoryName=NAME, imageTagMutability="IMMUTABLE")
    return ecr


@pytest.fixture
def build(engine: str, repository: Repository, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Builds `services/api` in that engine; its labels."""

    def build(*options: str) -> dict[str, str]:
        described = labels(VERSION, repository.git("rev-parse", "HEAD"), BASE)
        write_image(tmp_path, str(options), described)
        command = ["docker", "--host", engine, "build", "--quiet", *options, "--tag", "services/api", str(tmp_path)]
        subprocess.run(command, capture_output=True, check=True)
        return described

    return build


def publish(repository: Repository) -> int:
    """Publishes `services/api`; the exit status."""
    options = ["publish", "api", "services/api", "--repository", NAME, "--json"]
    return main(["--root", str(repository.root), *options])


def test_what_it_has_is_published_once_and_pulled_by_an_engine_that_does_not_have_it(
    build: Callable[..., dict[str, str]],
    ecr: Client,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    described = build("--provenance=false")
    assert publish(repository) == 0
    first = json.loads(capsys.readouterr().out)
    [found] = ecr.describe_images(repositoryName=NAME, imageIds=[{"imageTag": VERSION}])["imageDetails"]
    assert found["imageDigest"] == first["digest"]
    assert publish(repository) == 0
    assert json.loads(capsys.readouterr().out) == {**first, "new": []}

    monkeypatch.delenv("DOCKER_HOST")
    [kept] = ecr.describe_repositories()["repositories"]
    image = f"{kept['repositoryUri']}@{first['digest']}"
    pull(image, ecr)
    try:
        assert (DockerClient().image.inspect(image).config.labels or {}) == described
    finally:
        DockerClient().image.remove(image)


def test_an_image_with_what_attests_it_is_refused_before_its_version_is_spent(
    build: Callable[..., dict[str, str]], ecr: Client, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    build("--provenance=true")
    assert publish(repository) == FAILED
    assert "services/api is an index" in capsys.readouterr().err
    assert ecr.list_images(repositoryName=NAME)["imageIds"] == []
