"""Tasks and container instances, as agents report them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cloud.ecs import CLUSTER, Cluster
from tests.cloud.shared import Client


@pytest.fixture
def cluster(aws: Callable[[str], Client]) -> Cluster:
    """A cluster with a definition that takes host port 8080 and half of an instance's memory."""
    cluster = Cluster(aws)
    cluster.define("api:1", memory=512, portMappings=[{"containerPort": 8080, "hostPort": 8080}])
    return cluster


def test_an_agent_reports_how_a_task_ended(cluster: Cluster) -> None:
    cluster.service(desiredCount=1)
    task = cluster.run(cluster.join())
    cluster.submit(
        task,
        "STOPPED",
        reason="Essential container in task exited",
        containers=[{"containerName": "api", "exitCode": 137}],
    )
    ended = cluster.task(task)
    assert (ended["lastStatus"], ended["desiredStatus"], ended["stopCode"], ended["stoppedReason"]) == (
        "STOPPED",
        "STOPPED",
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert [each["exitCode"] for each in ended["containers"]] == [137]
    assert ended["createdAt"] <= ended["startedAt"] <= ended["stoppedAt"]
    assert cluster.ecs.list_tasks(cluster=CLUSTER, serviceName="api")["taskArns"] == []
    assert cluster.ecs.list_tasks(cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"] == [task]


def test_a_stopped_task_does_not_run_again(cluster: Cluster) -> None:
    cluster.service(desiredCount=1)
    task = cluster.run(cluster.join())
    cluster.submit(task, "STOPPED")
    cluster.submit(task, "RUNNING")
    assert cluster.task(task)["lastStatus"] == "STOPPED"


def test_a_task_with_a_requested_stop_is_stopping_until_its_agent_reports_the_stop(cluster: Cluster) -> None:
    cluster.service(desiredCount=1)
    task = cluster.run(cluster.join())
    cluster.ecs.stop_task(cluster=CLUSTER, task=task, reason="by hand")
    assert (cluster.task(task)["lastStatus"], cluster.task(task)["desiredStatus"]) == ("STOPPING", "STOPPED")
    cluster.submit(task, "STOPPED")
    assert (cluster.task(task)["stopCode"], cluster.task(task)["stoppedReason"]) == ("UserInitiated", "by hand")


def test_an_instance_reports_the_resources_that_its_tasks_leave_free(cluster: Cluster) -> None:
    instance = cluster.join(memory=1024, ports=(22, 51678))
    task = cluster.ecs.start_task(cluster=CLUSTER, containerInstances=[instance], taskDefinition="api")["tasks"][0]
    assert remaining(cluster, instance) == (512, ["22", "51678", "8080"])
    cluster.submit(task["taskArn"], "STOPPED")
    assert remaining(cluster, instance) == (1024, ["22", "51678"])


def test_a_host_port_can_be_used_once(cluster: Cluster) -> None:
    instance = cluster.join()
    assert not cluster.ecs.run_task(cluster=CLUSTER, taskDefinition="api")["failures"]
    again = cluster.ecs.run_task(cluster=CLUSTER, taskDefinition="api")
    assert again["tasks"] == []
    assert again["failures"] == [{"arn": instance, "reason": "RESOURCE:PORTS"}]


def test_a_task_is_refused_if_no_instance_is_ready(cluster: Cluster) -> None:
    with pytest.raises(cluster.ecs.exceptions.InvalidParameterException, match="No Container Instances"):
        cluster.ecs.run_task(cluster=CLUSTER, taskDefinition="api")
    instance = cluster.join()
    cluster.ecs.update_container_instances_state(cluster=CLUSTER, containerInstances=[instance], status="DRAINING")
    with pytest.raises(cluster.ecs.exceptions.InvalidParameterException, match="No Container Instances"):
        cluster.ecs.run_task(cluster=CLUSTER, taskDefinition="api")


def test_an_instance_with_tasks_is_deregistered_only_by_force(cluster: Cluster) -> None:
    instance = cluster.join()
    cluster.ecs.run_task(cluster=CLUSTER, taskDefinition="api")
    with pytest.raises(cluster.ecs.exceptions.InvalidParameterException, match="running tasks"):
        cluster.ecs.deregister_container_instance(cluster=CLUSTER, containerInstance=instance)
    cluster.ecs.deregister_container_instance(cluster=CLUSTER, containerInstance=instance, force=True)
    assert cluster.ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"] == []


def test_the_cluster_counts_its_services_tasks_and_instances(cluster: Cluster) -> None:
    cluster.service(desiredCount=1)
    cluster.run(cluster.join())
    cluster.start(cluster.join())
    counted = cluster.ecs.describe_clusters(clusters=[CLUSTER])["clusters"][0]
    assert counted["registeredContainerInstancesCount"] == 2
    assert (counted["runningTasksCount"], counted["pendingTasksCount"], counted["activeServicesCount"]) == (1, 1, 1)


def test_a_definition_needs_a_memory_limit_or_a_reservation(cluster: Cluster) -> None:
    ecs = cluster.ecs
    container = {"name": "w", "image": "w:1"}
    with pytest.raises(ecs.exceptions.ClientException, match="At least one of 'memory' or 'memoryReservation'"):
        ecs.register_task_definition(family="w", containerDefinitions=[container])
    ecs.register_task_definition(
        family="w", containerDefinitions=[container | {"memoryReservation": 64}], requiresCompatibilities=["EC2"]
    )
    definition = ecs.describe_task_definition(taskDefinition="w")["taskDefinition"]
    assert (definition["revision"], definition["status"], definition["requiresCompatibilities"]) == (
        1,
        "ACTIVE",
        ["EC2"],
    )


def remaining(cluster: Cluster, instance: str) -> tuple[int, list[str]]:
    """Memory and ports of an instance."""
    found = cluster.ecs.describe_container_instances(cluster=CLUSTER, containerInstances=[instance])
    left = {each["name"]: each for each in found["containerInstances"][0]["remainingResources"]}
    return left["MEMORY"]["integerValue"], left["PORTS"]["stringSetValue"]
