"""What a real engine has built, published by what the release workflow says, and pulled again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from python_on_whales import DockerClient

from release import engine
from release.cli import FAILED, main
from release.ecr import Repository
from release.publish import publish
from services.pipeline.version import version
from sim.cloud.aws_client import REGION
from sim.images.build import Images, build_image, id_of
from sim.images.service import SERVICES
from tests.cloud.ecr import pull
from tests.cloud.shared import Client
from tests.unit.release.conftest import BASE, labels
from tests.unit.release.conftest import Repository as Git

pytestmark = [pytest.mark.usefixtures("docker"), pytest.mark.timeout(600)]

NAME = "emails-test/api"
VERSION, LABEL = "0.1.0", "org.opencontainers.image"


@pytest.fixture
def registry(aws: Callable[[str], Client]) -> Repository:
    aws("ecr").create_repository(repositoryName=NAME, imageTagMutability="IMMUTABLE")
    return Repository(aws("ecr"), NAME)


@pytest.fixture
def build(repository: Git, account: str, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Builds an image of its own out of nothing but a file with this content; its name."""
    name = f"test/publish-{account}:{VERSION}"
    context = tmp_path / "context"
    context.mkdir()
    said = labels(VERSION, repository.git("rev-parse", "HEAD"), BASE)

    def build(content: str) -> str:
        write_image(context, content, said)
        build_image(name, dockerfile=context / "Dockerfile", context=context, arguments={})
        return name

    yield build
    DockerClient().image.remove(name, force=True)


def write_image(context: Path, content: str, labels: Mapping[str, str]) -> None:
    """What an image of one file with these labels is built from."""
    (context / "content").write_text(content)
    said = " ".join(f'{name}="{value}"' for name, value in labels.items())
    (context / "Dockerfile").write_text(f"FROM scratch\nCOPY content /content\nLABEL {said}\n")


def pulled(ecr: Client, digest: str) -> str:
    """The id of an image that is pulled by its digest."""
    [repository] = ecr.describe_repositories(repositoryNames=[NAME])["repositories"]
    image = f"{repository['repositoryUri']}@{digest}"
    try:
        return pull(image, ecr)
    finally:
        DockerClient().image.remove(image)


def test_a_version_is_published_once(
    build: Callable[[str], str],
    registry: Repository,
    repository: Git,
    aws: Callable[[str], Client],
    endpoint: str,
    account: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    for variable, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "DOCKER_CONFIG": str(tmp_path),
    }.items():
        monkeypatch.setenv(variable, value)
    commit = repository.git("rev-parse", "HEAD")

    def published(image: str) -> int:
        said = ["publish", "api", image, "--repository", NAME, "--json"]
        return main(["--root", str(repository.root), *said])

    image = build("one")
    built = id_of(image)
    assert published(image) == 0
    tags = [VERSION, f"{VERSION}-{commit[:12]}"]
    first = json.loads(capsys.readouterr().out)
    assert (first["version"], first["new"]) == (VERSION, tags)
    assert [registry.digest(tag) for tag in tags] == [first["digest"]] * 2
    assert DockerClient().image.inspect(image).repo_tags == [image], "no other name is left"
    assert not (tmp_path / "config.json").exists(), "and no login"

    assert published(build("one")) == 0
    assert json.loads(capsys.readouterr().out) == {**first, "new": []}

    assert published(build("another")) == FAILED
    assert f"{VERSION} is there already as {first['digest']}" in capsys.readouterr().err
    assert registry.digest(VERSION) == first["digest"]

    assert published("test/none:1") == FAILED
    assert "test/none:1 is to be among them" in capsys.readouterr().err
    DockerClient().image.remove(image, force=True)
    assert pulled(aws("ecr"), first["digest"]) == built


@pytest.mark.parametrize("service", SERVICES)
def test_the_image_that_ships_is_published(
    images: Images, service: str, registry: Repository, aws: Callable[[str], Client]
) -> None:
    image = engine.image(images.services[service])
    # As it was built: in a checkout where something is not committed no commit is that one.
    commit, base = image.labels[f"{LABEL}.revision"], images.bases.python
    done = publish(image, version(service), commit, registry, base=base)
    assert done.digest == registry.digest(version(service))
    assert list(done.new) == [version(service), f"{version(service)}-{commit[:12]}"]
    assert pulled(aws("ecr"), done.digest) == image.id
