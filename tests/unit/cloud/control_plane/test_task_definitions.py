"""What the local agents do not do is named when a task definition is registered."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import pytest

from sim.cloud.control_plane.call import AwsError, Call
from sim.cloud.control_plane.ecs.provider import Ecs
from sim.cloud.control_plane.ecs.state import Surroundings
from sim.cluster.aws_clock import AwsClock


def test_a_setting_that_is_not_done_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    container: dict[str, Any] = {"name": "web", "image": "web", "memory": 64, "restartPolicy": {"enabled": True}}
    parameters = {"family": "web", "containerDefinitions": [container]}
    ecs = Ecs(Surroundings(time.time, Random(0), lambda: False, lambda *_: 0.0))
    answer = ecs.operations["RegisterTaskDefinition"](Call("000000000000", "eu-central-1", parameters, lambda *_: {}))
    assert answer["taskDefinition"]["containerDefinitions"][0]["restartPolicy"] == {"enabled": True}
    [message] = caplog.messages
    assert message.startswith(answer["taskDefinition"]["taskDefinitionArn"])
    assert "containerDefinitions.restartPolicy: a container that ends is not started again" in message


def test_a_health_check_that_comes_before_its_time_out_is_over_is_refused_when_it_is_registered() -> None:
    ecs = Ecs(Surroundings(time.time, Random(0), lambda: False, lambda *_: 0.0, AwsClock(0, 10)))

    def register(**times: int) -> None:
        check = {"command": ["CMD", "true"], **times}
        container = {"name": "web", "image": "web", "memory": 64, "healthCheck": check}
        parameters = {"family": "web", "containerDefinitions": [container]}
        ecs.operations["RegisterTaskDefinition"](Call("000000000000", "eu-central-1", parameters, lambda *_: {}))

    register(interval=30, timeout=3)
    with pytest.raises(AwsError, match=r"The largest time scale for it is 1\.66"):
        register(interval=5, timeout=3)
    with pytest.raises(AwsError, match="The largest time scale for it is 6:"):
        register()
