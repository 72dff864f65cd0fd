"""LocalStack is told how fast AWS's clock runs, as a process and as a container."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sim.cloud.localstack.settings import container_environment, environment
from sim.cluster.aws_clock import AwsClock, clock_of


@pytest.mark.parametrize(
    "variables",
    [environment("127.0.0.1", 1, Path("/d"), time_scale=15), container_environment(time_scale=15)],
)
def test_the_control_plane_finds_the_scale(variables: Mapping[str, str]) -> None:
    assert clock_of(variables, 7.0) == AwsClock(7.0, 15)
