"""What the docker target can do that no other can: networks that are taken away, and containers that stay."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from python_on_whales import DockerClient
from testcontainers.core.config import testcontainers_config

from release import engine
from release.ecr import Repository
from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.tracker import EmailTracker
from sim.cloud.aws_client import local_session
from sim.faults.plan import AwsService
from sim.host.engine import remove_images, remove_labelled
from sim.host.engine_api import LABEL
from sim.host.published_ports import EngineElsewhere
from sim.host.waiting import until
from sim.images.build import Images
from sim.targets.docker import DockerTarget
from sim.targets.target import FAST, SERVICES, Service, Tuning
from tests.cloud.ecr import pull

pytestmark = [pytest.mark.usefixtures("docker"), pytest.mark.timeout(600)]


ELSEWHERE = "127.0.0.2"


@pytest.fixture(scope="module")
def target(images: Images, dead_proxies: Path) -> Iterator[DockerTarget]:  # noqa: ARG001 - built without the proxies
    """Where proxies for containers are set, a prefix for pulled images, and another host than localhost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(dead_proxies))
        # Of TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX and TESTCONTAINERS_HOST_OVERRIDE, which are read once.
        patch.setattr(testcontainers_config, "hub_image_name_prefix", "registry.invalid/")
        patch.setattr(testcontainers_config, "tc_host_override", ELSEWHERE)
        with DockerTarget(FAST, print) as target:
            yield target


def test_it_works_whatever_docker_is_set_to(target: DockerTarget, email: Email) -> None:
    tracker = EmailTracker(target, target.client())
    tracker.publish(email)
    tracker.verify()
    assert target.url.startswith(f"http://{ELSEWHERE}:")
    for service in SERVICES:
        document = target.container(service).inspect()
        assert [name for name in document["Config"]["Env"] if "proxy" in name.lower()] == []
        assert document["Config"]["Image"].startswith("sha256:"), "by a name that another checkout may take"
        published = [port for ports in document["NetworkSettings"]["Ports"].values() for port in ports or []]
        assert {port["HostIp"] for port in published} <= {ELSEWHERE}


def test_an_image_is_pushed_to_its_registry_and_pulled_again(target: DockerTarget, images: Images) -> None:
    docker = DockerClient()
    ecr = local_session().client("ecr", endpoint_url=target.data_plane.endpoint)
    uri = ecr.create_repository(repositoryName="emails/api")["repository"]["repositoryUri"]
    assert uri.startswith(f"{ELSEWHERE}:")
    image = engine.image(images.services["api"])
    Repository(ecr, "emails/api").push(image, "1.0.0")
    [digest] = {each["imageDigest"] for each in ecr.describe_images(repositoryName="emails/api")["imageDetails"]}
    pulled = f"{uri}@{digest}"
    try:
        assert pull(pulled, ecr) == image.id
        docker.image.tag(pulled, f"{uri}:1.0.0")
    finally:
        remove_images(uri.partition("/")[0])
    assert not docker.image.list(filters=[("reference", uri)])
    assert docker.image.exists(images.services["api"]), "it has the same layers"


def test_an_engine_elsewhere_is_refused_at_once_unless_a_setting_opens_its_ports(
    docker: None,  # noqa: ARG001 - which it needs
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(testcontainers_config, "tc_host_override", "engine.invalid")
    progress: list[str] = []
    with pytest.raises(EngineElsewhere, match=r"engine\.invalid.*SIM_PUBLISH_ADDRESS"):
        DockerTarget(FAST, progress.append).__enter__()
    assert progress == []


@contextmanager
def partition(target: DockerTarget, service: Service, aws: AwsService) -> Iterator[None]:
    target.disconnect(service, aws)
    yield
    target.reconnect(service, aws)


def test_a_partition_between_api_and_sqs(target: DockerTarget, email: Email) -> None:
    client = Client(target.url, target.token())
    tracker = EmailTracker(target, client)
    with partition(target, "api", "sqs"):
        # Nothing is reset, so a call that was under way only ends with its timeout.
        until(lambda: client.publish(email).status == 503, "a clear refusal", seconds=60)
    until(lambda: client.request("GET", "/ready").status == 200, "the API to be ready", seconds=60)
    tracker.publish(email)
    tracker.verify()


@pytest.mark.parametrize("aws", ["sqs", "s3"])
def test_a_partition_of_the_worker(target: DockerTarget, email: Email, aws: AwsService) -> None:
    tracker = EmailTracker(target, Client(target.url, target.token()))
    with partition(target, "worker", aws):
        tracker.publish_all(email.model_copy(update={"email_subject": f"number {number}"}) for number in range(50))
        until(lambda: " failed" in target.logs()["worker"], "the worker to see it", seconds=60)
        assert len(tracker.object_keys()) < len(tracker.accepted)
    tracker.verify(drain_seconds=90)


def ids(target: DockerTarget) -> list[str]:
    return [target.container(service).inspect()["Id"] for service in SERVICES]


def label(target: DockerTarget) -> str:
    return f"{LABEL}={target.container('api').inspect()['Config']['Labels'][LABEL]}"


def reusing(tuning: Tuning) -> tuple[DockerTarget, list[str]]:
    """A target that takes over what is there, and its progress."""
    progress: list[str] = []
    return DockerTarget(tuning, progress.append, reuse=True), progress


def test_containers_stay_and_a_second_run_takes_them_over(email: Email) -> None:
    # Nobody else's, though they have the same images.
    tuning = replace(FAST, service_environment={"REUSED_BY": uuid.uuid4().hex})
    first, progress = reusing(tuning)
    labels = set()
    try:
        with first:
            labels.add(label(first))
            ours = ids(first)
            assert "starting the containers" in progress
            first.kill("worker")
            first.start("worker")
        second, progress = reusing(tuning)
        with second:
            labels.add(label(second))
            assert ids(second) == ours
            assert "starting the containers" not in progress
            tracker = EmailTracker(second, Client(second.url, second.token()))
            tracker.publish(email)
            tracker.verify()
    finally:
        for each in labels:
            remove_labelled(each)
    assert len(labels) == 1
