"""ECS services as their owner asked for them."""

from __future__ import annotations

from collections.abc import Callable

from tests.cloud.conftest import Client


def test_a_service_has_what_it_was_created_with(aws: Callable[[str], Client]) -> None:
    ecs = aws("ecs")
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(family="api", containerDefinitions=[{"name": "api", "image": "api:1", "memory": 64}])
    asked = {
        "deploymentConfiguration": {
            "minimumHealthyPercent": 50,
            "maximumPercent": 100,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        "placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}],
        "placementConstraints": [{"type": "distinctInstance"}],
        "healthCheckGracePeriodSeconds": 30,
        "enableECSManagedTags": True,
        "enableExecuteCommand": True,
        "availabilityZoneRebalancing": "ENABLED",
    }
    ecs.create_service(cluster="c", serviceName="api", taskDefinition="api", desiredCount=2, **asked)
    service = ecs.describe_services(cluster="c", services=["api"])["services"][0]
    assert {name: service.get(name) for name in asked} == asked
    assert "networkConfiguration" not in service
