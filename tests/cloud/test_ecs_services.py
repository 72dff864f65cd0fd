"""ECS services: their settings are kept, and their state follows from what agents report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cloud.ecs import CLUSTER, Cluster, Values
from tests.cloud.shared import Client


@pytest.fixture
def cluster(aws: Callable[[str], Client]) -> Cluster:
    """A cluster that has a definition for the service `api`, and no instances."""
    cluster = Cluster(aws)
    cluster.define("api:1")
    return cluster


def states(cluster: Cluster) -> list[tuple[str, str, int, int]]:
    """Of the service's deployments: status, roll-out, running and pending."""
    return [
        (each["status"], each["rolloutState"], each["runningCount"], each["pendingCount"])
        for each in cluster.described()["deployments"]
    ]


def test_a_service_keeps_the_settings_it_was_created_with(cluster: Cluster) -> None:
    asked: Values = {
        "deploymentConfiguration": {
            "minimumHealthyPercent": 50,
            "maximumPercent": 150,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
        },
        "placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}],
        "placementConstraints": [{"type": "distinctInstance"}],
        "healthCheckGracePeriodSeconds": 30,
        "enableECSManagedTags": True,
        "enableExecuteCommand": True,
        "availabilityZoneRebalancing": "ENABLED",
        "propagateTags": "SERVICE",
        "capacityProviderStrategy": [{"capacityProvider": "p", "weight": 1, "base": 1}],
    }
    cluster.service(**asked)
    service = cluster.described()
    assert {name: service.get(name) for name in asked} == asked
    assert "networkConfiguration" not in service
    assert "launchType" not in service


def test_a_deployment_without_agents_stays_in_progress(cluster: Cluster) -> None:
    cluster.service()
    assert states(cluster) == [("PRIMARY", "IN_PROGRESS", 0, 0)]
    assert cluster.described()["runningCount"] == 0


def test_a_service_without_desired_tasks_is_stable_at_once(cluster: Cluster) -> None:
    cluster.service(desiredCount=0)
    assert states(cluster) == [("PRIMARY", "COMPLETED", 0, 0)]


def test_a_deployment_is_completed_when_agents_report_its_tasks_as_running(cluster: Cluster) -> None:
    cluster.service()
    first, second = (cluster.start(cluster.join()) for _ in range(2))
    assert states(cluster) == [("PRIMARY", "IN_PROGRESS", 0, 2)]
    cluster.submit(first, "RUNNING")
    assert states(cluster) == [("PRIMARY", "IN_PROGRESS", 1, 1)]
    cluster.submit(second, "RUNNING")
    assert states(cluster) == [("PRIMARY", "COMPLETED", 2, 0)]
    assert cluster.described()["events"][0]["message"] == "(service api) has reached a steady state."
    cluster.ecs.get_waiter("services_stable").wait(cluster=CLUSTER, services=["api"])


def test_a_new_task_definition_is_rolled_out_beside_the_old_one(cluster: Cluster) -> None:
    cluster.service(desiredCount=1)
    old = cluster.run(cluster.join())
    cluster.ecs.update_service(cluster=CLUSTER, service="api", taskDefinition=cluster.define("api:2"))
    assert states(cluster) == [("PRIMARY", "IN_PROGRESS", 0, 0), ("ACTIVE", "COMPLETED", 1, 0)]
    cluster.run(cluster.join())
    assert states(cluster) == [("PRIMARY", "IN_PROGRESS", 1, 0), ("ACTIVE", "COMPLETED", 1, 0)]
    cluster.ecs.stop_task(cluster=CLUSTER, task=old, reason="Scaling activity initiated by (deployment ecs-svc/2)")
    cluster.submit(old, "STOPPED")
    assert states(cluster) == [("PRIMARY", "COMPLETED", 1, 0)]
    assert cluster.task(old)["stopCode"] == "ServiceSchedulerInitiated"


def test_only_settings_of_the_tasks_start_a_new_deployment(cluster: Cluster) -> None:
    cluster.service(desiredCount=1)
    cluster.run(cluster.join())
    before = cluster.described()["deployments"]
    cluster.ecs.update_service(cluster=CLUSTER, service="api", desiredCount=2, healthCheckGracePeriodSeconds=9)
    same = cluster.described()
    assert [each["id"] for each in same["deployments"]] == [before[0]["id"]]
    assert (same["desiredCount"], same["healthCheckGracePeriodSeconds"]) == (2, 9)
    cluster.ecs.update_service(cluster=CLUSTER, service="api", forceNewDeployment=True)
    assert [each["status"] for each in cluster.described()["deployments"]] == ["PRIMARY", "ACTIVE"]


def test_the_circuit_breaker_rolls_back_to_the_last_good_deployment(cluster: Cluster) -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    good = cluster.service(desiredCount=1, deploymentConfiguration=breaker)["taskDefinition"]
    cluster.run(cluster.join())
    spare = cluster.join()
    cluster.ecs.update_service(cluster=CLUSTER, service="api", taskDefinition=cluster.define("api:broken"))
    for failed in range(1, 4):
        assert cluster.described()["deployments"][0]["failedTasks"] == failed - 1
        cluster.submit(cluster.start(spare), "STOPPED", reason="CannotPullContainerError: not found")
    service = cluster.described()
    assert service["taskDefinition"] == good
    assert states(cluster) == [("PRIMARY", "COMPLETED", 1, 0)]
    deployments = cluster.ecs.list_service_deployments(cluster=CLUSTER, service="api")["serviceDeployments"]
    assert [each["status"] for each in deployments] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]


def test_a_service_behind_a_classic_elb_has_no_rollout_state(cluster: Cluster) -> None:
    cluster.define("api:1", portMappings=[{"containerPort": 8080}])
    cluster.service(loadBalancers=[{"loadBalancerName": "e", "containerName": "api", "containerPort": 8080}])
    assert "rolloutState" not in cluster.described()["deployments"][0]
    deployment = cluster.ecs.list_service_deployments(cluster=CLUSTER, service="api")["serviceDeployments"][0]
    described = cluster.ecs.describe_service_deployments(serviceDeploymentArns=[deployment["serviceDeploymentArn"]])
    assert described["serviceDeployments"][0]["status"] == "IN_PROGRESS"


def test_a_service_is_deleted_when_its_last_task_has_stopped(cluster: Cluster) -> None:
    cluster.service(desiredCount=1)
    task = cluster.run(cluster.join())
    with pytest.raises(cluster.ecs.exceptions.InvalidParameterException, match="scaled above 0"):
        cluster.ecs.delete_service(cluster=CLUSTER, service="api")
    cluster.ecs.delete_service(cluster=CLUSTER, service="api", force=True)
    assert cluster.described()["status"] == "DRAINING"
    assert cluster.task(task)["desiredStatus"] == "STOPPED"
    cluster.submit(task, "STOPPED")
    assert cluster.described()["status"] == "INACTIVE"
    assert cluster.ecs.list_services(cluster=CLUSTER)["serviceArns"] == []


def test_a_missing_resource_gives_the_error_that_aws_gives(cluster: Cluster) -> None:
    ecs = cluster.ecs
    with pytest.raises(ecs.exceptions.ServiceNotFoundException):
        ecs.update_service(cluster=CLUSTER, service="none", desiredCount=1)
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        ecs.describe_services(cluster="none", services=["api"])
    with pytest.raises(ecs.exceptions.ClientException, match="Unable to describe task definition"):
        ecs.describe_task_definition(taskDefinition="none")
    failures = ecs.describe_services(cluster=CLUSTER, services=["none"])["failures"]
    assert [each["reason"] for each in failures] == ["MISSING"]


def test_a_cluster_that_is_not_empty_cannot_be_deleted(cluster: Cluster) -> None:
    cluster.service(desiredCount=0)
    with pytest.raises(cluster.ecs.exceptions.ClusterContainsServicesException):
        cluster.ecs.delete_cluster(cluster=CLUSTER)
    cluster.ecs.delete_service(cluster=CLUSTER, service="api")
    cluster.join()
    with pytest.raises(cluster.ecs.exceptions.ClusterContainsContainerInstancesException):
        cluster.ecs.delete_cluster(cluster=CLUSTER)


def test_every_resource_with_an_arn_keeps_its_tags(cluster: Cluster) -> None:
    service = cluster.service(tags=[{"key": "team", "value": "mail"}])
    for arn in (service["serviceArn"], service["taskDefinition"], cluster.join(), service["clusterArn"]):
        cluster.ecs.tag_resource(resourceArn=arn, tags=[{"key": "stage", "value": "test"}])
        tags = cluster.ecs.list_tags_for_resource(resourceArn=arn)["tags"]
        assert {"key": "stage", "value": "test"} in tags
        cluster.ecs.untag_resource(resourceArn=arn, tagKeys=["stage", "team"])
        assert cluster.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == []


def test_a_service_that_contradicts_itself_is_refused(cluster: Cluster) -> None:
    refused = cluster.ecs.exceptions.InvalidParameterException
    balancer = {"loadBalancerName": "e", "containerName": "api", "containerPort": 9}
    with pytest.raises(refused, match="container port 9"):
        cluster.service(loadBalancers=[balancer])
    with pytest.raises(refused, match="daemon scheduling strategy"):
        cluster.service(schedulingStrategy="DAEMON", desiredCount=1)


def test_zones_are_rebalanced_only_where_aws_does_it(cluster: Cluster) -> None:
    refused = cluster.ecs.exceptions.InvalidParameterException
    cluster.define("api:1", portMappings=[{"containerPort": 8080}])
    balancer = {"loadBalancerName": "e", "containerName": "api", "containerPort": 8080}
    with pytest.raises(refused, match="is behind a Classic Load Balancer"):
        cluster.service(loadBalancers=[balancer], availabilityZoneRebalancing="ENABLED")
    cluster.service(deploymentConfiguration={"maximumPercent": 100})
    with pytest.raises(refused, match="has a maximumPercent of 100"):
        cluster.ecs.update_service(cluster=CLUSTER, service="api", availabilityZoneRebalancing="ENABLED")


def test_a_default_of_the_account_is_kept(cluster: Cluster) -> None:
    put = cluster.ecs.put_account_setting_default(name="containerInsights", value="enabled")["setting"]
    [listed] = cluster.ecs.list_account_settings(name="containerInsights", effectiveSettings=True)["settings"]
    assert (put["value"], listed["value"]) == ("enabled", "enabled")
