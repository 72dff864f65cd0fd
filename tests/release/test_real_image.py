"""What a real engine has built and saved, published by what the release workflow says."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from python_on_whales import DockerClient

from release.cli import FAILED, main
from release.ecr import Repository
from release.image import Image, read
from release.publish import publish
from services.pipeline.version import version
from sim.cloud.aws_client import REGION
from sim.images.build import Images, build_image
from sim.images.service import SERVICES
from tests.cloud.conftest import Client
from tests.unit.release.conftest import BASE
from tests.unit.release.conftest import Repository as Git

pytestmark = pytest.mark.timeout(600)

NAME = "emails-test/api"
VERSION, LABEL = "0.1.0", "org.opencontainers.image"


@pytest.fixture
def registry(aws: Callable[[str], Client]) -> Repository:
    aws("ecr").create_repository(repositoryName=NAME, imageTagMutability="IMMUTABLE")
    return Repository(aws("ecr"), NAME)


@pytest.fixture
def build(docker: None, repository: Git, account: str, tmp_path: Path) -> Iterator[Callable[[str], Path]]:  # noqa: ARG001
    """Builds an image of its own out of nothing but a file with this content, and saves it."""
    name = f"test/publish-{account}:{VERSION}"
    context = tmp_path / "context"
    context.mkdir()
    commit = repository.git("rev-parse", "HEAD")
    labels = f'{LABEL}.version="{VERSION}" {LABEL}.revision="{commit}" {LABEL}.base.name="{BASE}"'
    (context / "Dockerfile").write_text(f"FROM scratch\nCOPY content /content\nLABEL {labels}\n")

    def build(content: str) -> Path:
        (context / "content").write_text(content)
        build_image(name, dockerfile=context / "Dockerfile", context=context, arguments={})
        return save(name, tmp_path / "saved.tar")

    yield build
    DockerClient().image.remove(name, force=True)


def save(name: str, file: Path) -> Path:
    DockerClient().image.save(name, output=file)
    return file


def assert_an_engine_takes_it(image: Image) -> None:
    """Whoever pulls compares each layer, no longer compressed, to what the configuration says of it."""
    manifest = json.loads(image.manifest)
    layers = [gzip.decompress(image.blobs[each["digest"]]) for each in manifest["layers"]]
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    assert digests == json.loads(image.blobs[manifest["config"]["digest"]])["rootfs"]["diff_ids"]


def test_a_version_is_published_once(
    build: Callable[[str], Path],
    registry: Repository,
    repository: Git,
    endpoint: str,
    account: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(variable, value)
    commit = repository.git("rev-parse", "HEAD")

    def published(archive: Path) -> int:
        said = ["publish", "api", str(archive), "--repository", NAME, "--json"]
        return main(["--root", str(repository.root), *said])

    archive = build("one")
    image = read(archive)
    assert_an_engine_takes_it(image)
    assert published(archive) == 0
    tags = [VERSION, f"{VERSION}-{commit[:12]}"]
    assert json.loads(capsys.readouterr().out) == {"version": VERSION, "digest": image.digest, "new": tags}
    assert [registry.digest(tag) for tag in tags] == [image.digest] * 2

    assert published(build("one")) == 0
    assert json.loads(capsys.readouterr().out) == {"version": VERSION, "digest": image.digest, "new": []}

    assert published(build("another")) == FAILED
    assert f"{VERSION} is there already as {image.digest}" in capsys.readouterr().err
    assert registry.digest(VERSION) == image.digest


@pytest.mark.parametrize("service", SERVICES)
def test_the_image_that_ships_is_published(images: Images, service: str, registry: Repository, tmp_path: Path) -> None:
    image = read(save(images.services[service], tmp_path / "saved.tar"))
    assert_an_engine_takes_it(image)
    # As it was built: in a checkout where something is not committed no commit is that one.
    commit, base = image.labels[f"{LABEL}.revision"], images.bases.python
    done = publish(image, version(service), commit, registry, base=base)
    assert done.digest == registry.digest(version(service)) == image.digest
    assert list(done.new) == [version(service), f"{version(service)}-{commit[:12]}"]
