"""What a cluster's tasks find around them where they are containers."""

from __future__ import annotations

import json

import pytest
from python_on_whales import DockerClient

from release.ecr import Repository
from services.pipeline.message import Email
from sim.aws.arn import last_part
from sim.cloud.aws_client import local_session
from sim.host.container import Container
from sim.host.engine_api import LABEL
from sim.host.loopback import answers
from sim.host.waiting import until
from sim.targets.docker_cluster import DockerCluster
from sim.targets.publication import repository
from sim.targets.target import SERVICES, Capability, Service, Target

pytestmark = pytest.mark.needs(Capability.DEPLOY)

_SECONDS = 60
_ASK = "import os, urllib.request as r; print(r.urlopen({}, timeout=5).read().decode())"


@pytest.fixture
def cluster(target: Target) -> DockerCluster:
    if not isinstance(target, DockerCluster):
        pytest.skip("not applicable: the tasks are processes")
    return target


def _containers(cluster: DockerCluster, service: Service) -> list[Container]:
    label = f"com.amazonaws.ecs.container-name={service}"
    return Container.labelled(cluster.tasks.run, label)


def _asked(container: Container, url: str) -> str:
    """What a Python expression for a URL is answered with, inside a container."""
    return str(DockerClient().execute(container.name, ["python", "-c", _ASK.format(url)]))


def test_a_task_reaches_the_api_by_the_load_balancers_name_and_port(cluster: DockerCluster) -> None:
    url = cluster.local_roots.root("services/api").outputs()["url"]
    assert _asked(_containers(cluster, "worker")[0], repr(f"{url}/ready"))


def test_a_task_runs_the_image_that_was_pushed_and_is_known_by_its_digest(cluster: DockerCluster) -> None:
    ecr = local_session().client("ecr", endpoint_url=cluster.data_plane.endpoint)
    for service in SERVICES:
        [task, *_] = cluster.service(service).tasks()
        [container] = task["containers"]
        wanted = container["image"].rpartition("@" if "@" in container["image"] else ":")[2]
        assert container["imageDigest"] == Repository(ecr, repository(service)).digest(wanted)


def test_a_task_is_given_metadata_and_the_credentials_of_its_role(cluster: DockerCluster) -> None:
    [container, *_] = _containers(cluster, "api")
    metadata = json.loads(_asked(container, "os.environ['ECS_CONTAINER_METADATA_URI_V4']"))
    assert metadata["Name"] == "api"
    path = "'http://169.254.170.2' + os.environ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']"
    assert ":role/" in json.loads(_asked(container, path))["RoleArn"]


def test_an_edge_that_ends_is_started_again_and_serves_at_once_with_its_certificate(cluster: DockerCluster) -> None:
    [edge] = [each for each in Container.labelled(cluster.tasks.run, LABEL) if each.name.endswith("-edge")]
    kept = "print(open('/var/lib/edge/ports.json').read())"
    ports = DockerClient().execute(edge.name, ["python", "-c", kept])
    edge.kill()
    until(cluster.keep, "the edge to be started again", seconds=_SECONDS)
    until(lambda: answers(f"{cluster.url}/health", seconds=1), "the API to answer", seconds=_SECONDS)
    assert DockerClient().execute(edge.name, ["python", "-c", kept]) == ports


def test_what_a_task_logs_is_in_the_local_cloudwatch_logs(cluster: DockerCluster, email: Email) -> None:
    endpoint = cluster.data_plane.endpoint
    ecs = local_session().client("ecs", endpoint_url=endpoint)
    logs = local_session().client("logs", endpoint_url=endpoint)
    [task, *_] = cluster.service("api").tasks()
    definition = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
    options = definition["containerDefinitions"][0]["logConfiguration"]["options"]
    stream = f"{options['awslogs-stream-prefix']}/api/{last_part(task['taskArn'])}"

    def lines() -> list[str]:
        # One of the tasks takes it, and writes a line about it.
        cluster.client().publish(email)
        found = logs.get_log_events(logGroupName=options["awslogs-group"], logStreamName=stream)["events"]
        return [each["message"] for each in found]

    assert until(lines, f"lines in {stream}", seconds=_SECONDS)
