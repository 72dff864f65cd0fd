"""LocalStack's image, with the control plane in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sim.cloud.aws_client import local_session
from sim.cloud.localstack.settings import PORT, container_environment, is_ready
from sim.host.cleanup import Cleanup
from sim.host.container import Container, Network, Spec, new_run, ports_of_engine
from sim.host.engine_api import LABEL
from sim.host.process import free_port
from sim.host.waiting import until
from sim.images.build import Images

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def session(images: Images) -> Iterator[tuple[Any, str]]:
    """A boto3 session, and the endpoint of a container of the image."""
    run = new_run()
    with Cleanup() as cleanup:
        cleanup.owns("label", f"{LABEL}={run}")
        port, edge = free_port(), Network.create(run, "edge")
        Container.create(
            run, Spec("localstack", images.control_plane, container_environment(), {edge: ()}, ports={PORT: port})
        )
        endpoint = ports_of_engine().url(port)
        until(lambda: is_ready(endpoint), "LocalStack to be ready", seconds=60)
        yield local_session(), endpoint


def test_the_control_plane_answers_in_a_container(session: tuple[Any, str]) -> None:
    boto, endpoint = session
    ecs, elb, sqs = (boto.client(service, endpoint_url=endpoint) for service in ("ecs", "elb", "sqs"))
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(family="api", containerDefinitions=[{"name": "api", "image": "api:1", "memory": 64}])
    ecs.create_service(cluster="c", serviceName="api", taskDefinition="api", desiredCount=1)
    service = ecs.describe_services(cluster="c", services=["api"])["services"][0]
    assert [each["rolloutState"] for each in service["deployments"]] == ["IN_PROGRESS"]
    assert elb.describe_load_balancers()["LoadBalancerDescriptions"] == []
    assert sqs.create_queue(QueueName="q")["QueueUrl"]
