"""An engine that keeps its images in containerd, as new installations of Docker do: what it saves is published too.

https://docs.docker.com/engine/storage/containerd/
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from release.cli import main
from sim.cloud.aws_client import REGION
from sim.host.cleanup import Cleanup
from sim.host.process import Process
from sim.host.waiting import until
from tests.cloud.conftest import Client
from tests.unit.release.conftest import BASE, Repository, labels

pytestmark = pytest.mark.timeout(300)

NAME, VERSION = "emails-test/api", "0.1.0"
STOP_SECONDS = 30


@pytest.fixture(scope="module")
def engine(docker: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - its packages
    """Where an engine of its own listens. It runs no containers, so it needs no network; but it needs root."""
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        pytest.skip("not applicable: only root starts an engine, and only where it is installed")
    folder = tmp_path_factory.mktemp("engine")
    settings = {"features": {"containerd-snapshotter": True}, "storage-driver": "native"}
    (folder / "daemon.json").write_text(json.dumps(settings))
    host = f"unix://{folder}/socket"
    folders = [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
    closed = ["--bridge=none", "--iptables=false", "--ip6tables=false"]
    command = ["dockerd", f"--config-file={folder / 'daemon.json'}", f"--host={host}", *folders, *closed]
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


@pytest.fixture
def published(
    aws: Callable[[str], Client],
    endpoint: str,
    account: str,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[Path], str]:
    """Publishes an archive as a release does; the digest."""
    for variable, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(variable, value)
    aws("ecr").create_repository(repositoryName=NAME, imageTagMutability="IMMUTABLE")

    def publish(archive: Path) -> str:
        capsys.readouterr()
        options = ["publish", "api", str(archive), "--repository", NAME, "--json"]
        assert main(["--root", str(repository.root), *options]) == 0
        return str(json.loads(capsys.readouterr().out)["digest"])

    return publish


@pytest.mark.parametrize("attested", [False, True], ids=["alone", "with what attests it"])
def test_what_it_saves_is_published(
    engine: str,
    published: Callable[[Path], str],
    repository: Repository,
    aws: Callable[[str], Client],
    tmp_path: Path,
    attested: bool,
) -> None:
    def docker(*arguments: str) -> str:
        command = ["docker", "--host", engine, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "io.containerd.snapshotter" in docker("info")
    described = labels(VERSION, repository.git("rev-parse", "HEAD"), BASE)
    lines = [f'LABEL {name}="{value}"' for name, value in described.items()]
    (tmp_path / "Dockerfile").write_text("\n".join(["FROM scratch", "COPY Dockerfile /", *lines]))
    docker("build", "--quiet", f"--provenance={str(attested).lower()}", "--tag", "services/api", str(tmp_path))
    docker("save", "services/api", "--output", str(tmp_path / "api.tar"))
    digest = published(tmp_path / "api.tar")
    [found] = aws("ecr").describe_images(repositoryName=NAME)["imageDetails"]
    assert (found["imageDigest"], VERSION in found["imageTags"]) == (digest, True)
