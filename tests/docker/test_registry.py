"""ECR's registry with Docker itself, by the commands that AWS documents.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html
https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-pull-ecr-image.html
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-retag.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from python_on_whales import Container, DockerClient

from sim.aws.ecr_authorization import Login, PrivateRegistry, issue
from sim.cloud.aws_client import ACCOUNT, REGION, local_session
from sim.cloud.local import LocalCloud
from sim.cloud.registry.register import register
from sim.cloud.registry.source_image import Source
from sim.host.cleanup import Cleanup
from sim.host.engine_api import EngineRefused
from sim.host.loopback import request
from sim.images.base_image import BaseImages, settings
from sim.images.build import build_image, id_of
from tests.cloud.ecr import pull
from tests.cloud.shared import Client

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

pytestmark = [pytest.mark.usefixtures("docker"), pytest.mark.timeout(600)]

NAME = "emails/api"
DOCKER = DockerClient()


@dataclass
class Shell:
    """A person's shell: an account of the local cloud, and a configuration of Docker that is the person's own."""

    endpoint: str
    account: str
    home: Path
    images: list[str] = field(default_factory=list)

    @property
    def ecr(self) -> ECRClient:
        """A client of the account."""
        return local_session(self.account).client("ecr", endpoint_url=self.endpoint)

    def run(self, script: str) -> str:
        """What a script prints. Raises CalledProcessError."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": REGION,
            "DOCKER_CONFIG": str(self.home),
        }
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    def refused(self, script: str) -> str:
        """The errors of a script that has to fail."""
        with pytest.raises(subprocess.CalledProcessError) as failed:
            self.run(script)
        return str(failed.value.stderr)

    def create_repository(self) -> str:
        """The URI of the repository, whose tags are immutable."""
        created = self.ecr.create_repository(repositoryName=NAME, imageTagMutability="IMMUTABLE")
        return created["repository"]["repositoryUri"]

    def login(self, uri: str) -> None:
        """Logs in as the AWS CLI would, which takes a second to start."""
        [data] = self.ecr.get_authorization_token()["authorizationData"]
        password = base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]
        self.run(f"docker login --username AWS --password-stdin {uri.partition('/')[0]} <<< {password}")

    def build(self, image: str, content: str) -> str:
        """Builds an image of nothing but a file with this content; its id."""
        context = self.home / "context"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text("FROM scratch\nCOPY content /content\n")
        (context / "content").write_text(content)
        build_image(image, dockerfile=context / "Dockerfile", context=context, arguments={})
        self.images.append(image)
        return id_of(image)

    def digest(self, tag: str) -> str:
        found = self.ecr.describe_images(repositoryName=NAME, imageIds=[{"imageTag": tag}])
        return found["imageDetails"][0]["imageDigest"]


@pytest.fixture
def shell_of(endpoint: str, tmp_path: Path) -> Iterator[Callable[[str], Shell]]:
    """Makes the shell of a person of an account. The images that are built in it are removed."""
    shells: list[Shell] = []

    def make(account: str) -> Shell:
        shells.append(Shell(endpoint, account, tmp_path / account))
        shells[-1].home.mkdir()
        return shells[-1]

    yield make
    for image in (image for shell in shells for image in shell.images):
        remove(image)


@pytest.fixture
def shell(shell_of: Callable[[str], Shell], account: str) -> Shell:
    return shell_of(account)


def remove(image: str) -> None:
    """Takes an image out of the engine, if it is there."""
    if DOCKER.image.exists(image):
        DOCKER.image.remove(image, force=True)


def begin_upload(cloud: LocalCloud, account: str) -> str:
    """The URL of an upload that is begun, which is in the storage."""
    assert cloud.registry is not None
    token = issue(Login(PrivateRegistry(account, REGION), account), int(time.time()) + 60, cloud.registry.secret)
    uploads = f"http://{cloud.registry.address}/v2/{NAME}/blobs/uploads/"
    sent = request("POST", uploads, seconds=60, headers={"Authorization": f"Basic {token}"})
    assert sent.status == 307, sent.data
    begun = request("POST", sent.headers["Location"], seconds=60)
    assert begun.status == 202, begun.data
    return str(begun.headers["Location"])


def storage(upload: str) -> Container:
    """The container in which an upload is."""
    [container] = DOCKER.container.list(filters=[("publish", str(urlsplit(upload).port))])
    return container


def pulled(shell: Shell, uri: str, digest: str) -> str:
    """The id of an image that is pulled by its digest into an engine that does not have it."""
    remove(f"{uri}@{digest}")
    shell.run(f"docker pull {uri}@{digest}")
    shell.images.append(f"{uri}@{digest}")
    return id_of(f"{uri}@{digest}")


def test_an_image_is_pushed_and_pulled_as_aws_documents_it(shell: Shell) -> None:
    uri = shell.run(
        f"aws ecr create-repository --repository-name {NAME} --image-tag-mutability IMMUTABLE "
        "--query repository.repositoryUri --output text"
    )
    host = uri.partition("/")[0]
    login = f"aws ecr get-login-password --region {REGION} | docker login --username AWS --password-stdin {host}"
    assert "Login Succeeded" in shell.run(login)
    name = f"test/hello-world:{host.rpartition(':')[2]}"
    built = shell.build(name, f"first of {shell.account}")
    shell.images.append(f"{uri}:1.0.0")
    shell.run(f"docker tag {name} {uri}:1.0.0")
    shell.run(f"docker push {uri}:1.0.0")
    first = shell.digest("1.0.0")
    shell.run(f"docker push {uri}:1.0.0")
    assert shell.digest("1.0.0") == first, "pushed again, it is the same"
    for image in (f"{uri}:1.0.0", name):
        remove(image)
    assert not DOCKER.image.exists(built)
    assert pulled(shell, uri, first) == built


def test_a_used_tag_is_not_given_to_another_image(shell: Shell) -> None:
    uri = shell.create_repository()
    shell.login(uri)
    shell.build(f"{uri}:1.0.0", f"one of {shell.account}")
    shell.run(f"docker push {uri}:1.0.0")
    first = shell.digest("1.0.0")
    shell.build(f"{uri}:1.0.0", f"another of {shell.account}")
    said = shell.refused(f"docker push {uri}:1.0.0")
    assert f"The image tag '1.0.0' already exists in the '{NAME}' repository and cannot be overwritten" in said
    assert shell.digest("1.0.0") == first


def test_what_the_api_does_to_an_image_holds_for_docker(shell: Shell) -> None:
    uri = shell.create_repository()
    shell.login(uri)
    built = shell.build(f"{uri}:1.0.0", f"retagged of {shell.account}")
    shell.run(f"docker push {uri}:1.0.0")
    digest = shell.digest("1.0.0")
    shell.run(
        f"MANIFEST=$(aws ecr batch-get-image --repository-name {NAME} --image-ids imageTag=1.0.0 "
        "--output text --query 'images[].imageManifest')\n"
        f'aws ecr put-image --repository-name {NAME} --image-tag stable --image-manifest "$MANIFEST"'
    )
    assert shell.digest("stable") == digest
    remove(f"{uri}:1.0.0")
    shell.images.append(f"{uri}:stable")
    shell.run(f"docker pull {uri}:stable")
    assert id_of(f"{uri}:stable") == built
    shell.run(f"aws ecr batch-delete-image --repository-name {NAME} --image-ids imageDigest={digest}")
    remove(f"{uri}:stable")
    assert "Requested image not found" in shell.refused(f"docker pull {uri}:stable")


def test_an_unknown_repository_is_refused(shell: Shell) -> None:
    uri = shell.create_repository()
    shell.login(uri)
    unknown = f"{uri.partition('/')[0]}/unknown"
    shell.build(f"{unknown}:1", f"unknown of {shell.account}")
    said = f"The repository with name 'unknown' does not exist in the registry with id '{shell.account}'"
    assert said in shell.refused(f"docker push {unknown}:1")
    assert said in shell.refused(f"docker pull {unknown}:2")


def test_docker_does_what_the_role_may_that_logged_in(
    shell: Shell, cloud: LocalCloud, aws: Callable[[str], Client], account: str
) -> None:
    """Both pushes and pulls of a role's login are judged, and refused in AWS's words."""
    uri = shell.create_repository()
    iam, trust = aws("iam"), {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}}
    arn = iam.create_role(RoleName="puller", AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    keys = aws("sts").assume_role(RoleArn=arn, RoleSessionName="task-1")["Credentials"]

    def may(*actions: str) -> None:
        allowed = {"Effect": "Allow", "Action": [f"ecr:{each}" for each in actions], "Resource": "*"}
        iam.put_role_policy(RoleName="puller", PolicyName="pull", PolicyDocument=_policy(allowed))

    shell.login(uri)
    shell.build(f"{uri}:1", "of a role")
    shell.run(f"docker push {uri}:1 && docker rmi {uri}:1")
    assert cloud.registry is not None
    login = Login(PrivateRegistry(account, REGION), keys["AccessKeyId"])
    token = issue(login, int(time.time()) + 600, cloud.registry.secret)
    (shell.home / "config.json").write_text(f'{{"auths": {{"{cloud.registry.address}": {{"auth": "{token}"}}}}}}')
    may("GetDownloadUrlForLayer")
    assert "task-1 is not authorized to perform: ecr:BatchGetImage on resource: " in shell.refused(
        f"docker pull {uri}:1"
    )
    may("BatchGetImage")
    assert "is not authorized to perform: ecr:GetDownloadUrlForLayer" in shell.refused(f"docker pull {uri}:1")
    may("BatchGetImage", "GetDownloadUrlForLayer")
    shell.run(f"docker pull {uri}:1")
    shell.build(f"{uri}:2", "another of a role")
    # Docker takes a refused question whether a layer is there for a no.
    assert "is not authorized to perform: ecr:InitiateLayerUpload" in shell.refused(f"docker push {uri}:2")


def _policy(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_nobody_enters_without_a_token_or_with_one_that_has_expired(shell: Shell, cloud: LocalCloud) -> None:
    assert cloud.registry is not None
    uri = shell.create_repository()
    host = cloud.registry.address
    assert "no basic auth credentials" in shell.refused(f"docker pull {uri}:1")
    assert "401" in shell.refused(f"echo invented | docker login --username AWS --password-stdin {host}")
    token = issue(Login(PrivateRegistry(shell.account, REGION), shell.account), int(time.time()), cloud.registry.secret)
    (shell.home / "config.json").write_text(f'{{"auths": {{"{host}": {{"auth": "{token}"}}}}}}')
    said = shell.refused(f"docker pull {uri}:1")
    assert "Your authorization token has expired. Reauthenticate and try again." in said


def test_two_accounts_have_each_their_own_images_under_one_name(shell: Shell, shell_of: Callable[[str], Shell]) -> None:
    shells = (shell, shell_of(f"9{shell.account[1:]}"))
    uri, other_uri = (each.create_repository() for each in shells)
    assert uri == other_uri
    digests, ids = [], []
    for each in shells:
        each.login(uri)
        ids.append(each.build(f"{uri}:1.0.0", f"image of {each.account}"))
        each.run(f"docker push {uri}:1.0.0")
        digests.append(each.digest("1.0.0"))
    assert len({*digests}) == 2
    for each, digest, built in zip(shells, digests, ids, strict=True):
        assert pulled(each, uri, digest) == built
        [others] = set(digests) - {digest}
        remove(f"{uri}@{others}")
        # It may have the manifest still, and then asks for the layers.
        assert re.search("Requested image not found|unknown blob", each.refused(f"docker pull {uri}@{others}"))


def test_an_upload_that_breaks_off_or_is_garbage_leaves_nothing(shell: Shell, cloud: LocalCloud) -> None:
    uri = shell.create_repository()
    layer = b"what was announced" * 1000
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"

    place = urlsplit(begin_upload(cloud, shell.account))
    with socket.create_connection((str(place.hostname), place.port or 0)) as broken:
        head = (
            f"PATCH {place.path}?{place.query} HTTP/1.1\r\nHost: {place.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        broken.sendall(f"{head}10\r\n0123456789abcdef\r\nno length\r\n".encode())
    upload = begin_upload(cloud, shell.account)
    garbage = request("PUT", f"{upload}&digest={digest}", seconds=30, body=b"garbage" + layer)
    assert (garbage.status, b"DIGEST_INVALID" in garbage.data) == (400, True)
    blob = f"{upload.partition('/blobs/')[0]}/blobs/{digest}"
    assert request("GET", blob, seconds=30).status == 404

    shell.login(uri)
    built = shell.build(f"{uri}:1.0.0", f"after garbage of {shell.account}")
    shell.run(f"docker push {uri}:1.0.0")
    pushed = shell.digest("1.0.0")
    remove(f"{uri}:1.0.0")
    assert pulled(shell, uri, pushed) == built


def test_a_registry_that_was_restarted_has_what_was_pushed(shell: Shell, cloud: LocalCloud) -> None:
    uri = shell.create_repository()
    shell.login(uri)
    built = shell.build(f"{uri}:1.0.0", f"kept of {shell.account}")
    shell.run(f"docker push {uri}:1.0.0")
    digest = shell.digest("1.0.0")
    DOCKER.container.restart(storage(begin_upload(cloud, shell.account)), time=1)
    remove(f"{uri}:1.0.0")
    assert pulled(shell, uri, digest) == built
    shell.build(f"{uri}:1.1.0", f"later of {shell.account}")
    shell.run(f"docker push {uri}:1.1.0")


def test_docker_is_refused_a_version_that_was_registered_as_its_source(shell: Shell, tmp_path: Path) -> None:
    uri = shell.create_repository()
    shell.login(uri)
    digest = register(shell.ecr, NAME, Source("api", "1.0.0", "c0ffeec0ffee", tmp_path))
    assert shell.digest("1.0.0") == shell.digest("1.0.0-c0ffeec0ffee") == digest
    said = shell.refused(f"docker pull {uri}@{digest}")
    assert f"the source of api 1.0.0 in {tmp_path}, which only runs as a process" in said


def test_an_agent_pulls_by_digest_with_a_token_and_leaves_no_login(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = shell.create_repository()
    shell.login(uri)
    built = shell.build(f"{uri}:1.0.0", f"for an agent of {shell.account}")
    shell.run(f"docker push {uri}:1.0.0")
    remove(f"{uri}:1.0.0")
    shell.run(f"docker logout {uri.partition('/')[0]}")
    monkeypatch.setenv("DOCKER_CONFIG", str(shell.home))
    before = (shell.home / "config.json").read_text()
    image = f"{uri}@{shell.digest('1.0.0')}"
    shell.images.append(image)
    assert pull(image, shell.ecr) == built
    assert (shell.home / "config.json").read_text() == before
    with pytest.raises(EngineRefused, match="Requested image not found"):
        pull(f"{uri}:2.0.0", shell.ecr)


def test_the_registry_ends_with_its_cloud() -> None:
    with Cleanup() as cleanup:
        own = LocalCloud(cleanup, (), print, BaseImages.of(settings(os.environ)).registry)
        try:
            own.open()
            own.prepare(visibility_timeout=30, max_receive_count=3)
            ecr = local_session().client("ecr", endpoint_url=own.endpoint)
            ecr.create_repository(repositoryName=NAME)
            container = storage(begin_upload(own, ACCOUNT))
        finally:
            own.stop()
    assert not DOCKER.container.exists(container.id)
