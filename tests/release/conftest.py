"""A local cloud in which services are released and deployed.

Nothing runs tasks in it: whether a deployment becomes stable is told to ECS by these tests (`tests/cloud/ecs.py`), as
the agents of container instances would tell it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from release.deploy import Deployer, Verdict
from release.ecr import Repository
from release.ecs import Service, Time
from release.errors import CommandFailed
from release.lock import KEY, Lock
from release.terraform import Plan
from sim.cloud.registry.register import register
from sim.cloud.registry.source_image import Source
from tests.cloud.ecs import CLUSTER, Cluster
from tests.cloud.shared import Client
from tests.unit.release.conftest import repository

__all__ = ["repository"]

COMMIT = "c0ffee" * 6 + "c0ff"


class Root:
    """What the root of a service does, as far as a deployment sees it; Terraform itself is in `test_terraform.py`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._image: str | None = None
        self._definition: str | None = None
        self.images: list[str] = []
        self.refused: set[str] = set()
        self.timeout_seconds = 900

    def applied(self) -> Mapping[str, Any]:
        return {"task_definition_arn": self._definition, "deployment_timeout_seconds": self.timeout_seconds}

    def image_tag(self) -> str | None:
        return self._image

    def plan(self, file: Path, variables: Mapping[str, str]) -> Plan:
        wanted = variables["image_tag"]
        file.write_text(wanted)
        return Plan(file, f"the image becomes {wanted}", changes=wanted != self._image)

    def apply(self, plan: Plan) -> None:
        wanted = plan.file.read_text()
        if wanted in self.refused:
            raise CommandFailed(f"`terraform apply` ended with 1: {wanted} refused")
        self._definition = self._cluster.define(f"emails/api@{wanted}")
        if self._image is None:
            self._cluster.service(desiredCount=1)
        else:
            self._cluster.ecs.update_service(cluster=CLUSTER, service="api", taskDefinition=self._definition)
        self._image = wanted
        self.images.append(wanted)


@dataclass
class Agents:
    """Say of the tasks of each deployment that they run, and of older ones that they ended; of a bad image, that its
    tasks failed. Each step is a moment in which the deployer waits, and longer than it thinks."""

    cluster: Cluster
    bad: set[str] = field(default_factory=set)
    before: Callable[[], None] = lambda: None
    seconds: float = 0

    def now(self) -> float:
        return self.seconds

    def step(self, seconds: float) -> None:
        self.before()
        self.seconds += 60 * seconds
        ecs = self.cluster.ecs
        [image] = {
            each["image"]
            for each in ecs.describe_task_definition(taskDefinition=self.cluster.described()["taskDefinition"])[
                "taskDefinition"
            ]["containerDefinitions"]
        }
        old = ecs.list_tasks(cluster=CLUSTER, serviceName="api")["taskArns"]
        started = self.cluster.start(self.cluster.join())
        if image.partition("@")[2] in self.bad:
            self.cluster.submit(started, "STOPPED", reason="CannotPullContainerError: no such manifest")
            return
        self.cluster.submit(started, "RUNNING")
        for task in old:
            ecs.stop_task(cluster=CLUSTER, task=task)
            self.cluster.submit(task, "STOPPED")


@dataclass
class Place:
    """An environment in which a service is deployed: the cloud, and everything that a test may tell it to be."""

    aws: Callable[[str], Client]
    states: str
    directory: Path
    cluster: Cluster
    root: Root
    agents: Agents
    progress: list[str] = field(default_factory=list)
    smoke: Callable[[], None] = lambda: None
    now: Callable[[], float] = lambda: 1_000_000.0

    @property
    def repository(self) -> Repository:
        return Repository(self.aws("ecr"), "emails/api")

    def publish(self, version: str) -> str:
        """The digest of a version, which is there as its source: a deployment needs no more of it."""
        return register(self.aws("ecr"), "emails/api", Source("api", version, COMMIT, self.directory))

    def deployer(self) -> Deployer:
        return Deployer(
            "api",
            self.root,
            Service(self.aws("ecs"), CLUSTER, "api", Time(self.agents.now, self.agents.step)),
            self.repository,
            Lock(self.aws("s3"), self.states, self.now, self.agents.step, progress=self.progress.append),
            self.smoke,
            environment="staging",
            progress=self.progress.append,
            show=lambda plan: self.progress.append(plan.text),
        )

    def deploy(self, version: str, who: str = "ann") -> Verdict:
        """One run of `release deploy`."""
        return self.deployer().deploy(version, who, uuid.uuid4().hex)

    def locked(self) -> bool:
        """Whether a deployment is under way or was interrupted."""
        record = json.loads(self.aws("s3").get_object(Bucket=self.states, Key=KEY)["Body"].read())
        return bool(record["changing"] or record["until"] > self.now())


@pytest.fixture
def place(aws: Callable[[str], Client], account: str, tmp_path: Path) -> Place:
    """With a repository and a bucket, and nothing deployed."""
    states = f"states-{account}"
    aws("s3").create_bucket(Bucket=states, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    aws("ecr").create_repository(repositoryName="emails/api", imageTagMutability="IMMUTABLE")
    cluster = Cluster(aws)
    return Place(aws, states, tmp_path, cluster, Root(cluster), Agents(cluster))
