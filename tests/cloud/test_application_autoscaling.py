"""Tags of scalable targets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cloud.shared import Client


def test_a_scalable_target_keeps_its_tags(aws: Callable[[str], Client]) -> None:
    scaling, ecs = aws("application-autoscaling"), aws("ecs")
    ecs.create_cluster(clusterName="c")
    container = {"name": "worker", "image": "worker:1", "memoryReservation": 64}
    ecs.register_task_definition(family="worker", containerDefinitions=[container], requiresCompatibilities=["EC2"])
    ecs.create_service(cluster="c", serviceName="worker", taskDefinition="worker", desiredCount=1)
    arn = scaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId="service/c/worker",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=1,
        MaxCapacity=4,
        Tags={"team": "mail", "stage": "test"},
    )["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"stage": "production"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"stage": "production"}


def test_tags_of_an_unknown_target_are_refused(aws: Callable[[str], Client]) -> None:
    scaling = aws("application-autoscaling")
    with pytest.raises(scaling.exceptions.ResourceNotFoundException):
        scaling.list_tags_for_resource(
            ResourceARN="arn:aws:application-autoscaling:eu-central-1:1:scalable-target/none"
        )
