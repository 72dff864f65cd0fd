"""The local cloud is found by AWS_ENDPOINT_URL."""

from __future__ import annotations

import pytest

from sim.cloud.resources import data_plane_of
from sim.errors import SimError


def test_the_endpoint_comes_from_the_variable_that_aws_sdks_use() -> None:
    assert data_plane_of({"AWS_ENDPOINT_URL": "http://cloud:1"}).resources.queue_url.startswith("http://cloud:1/")


@pytest.mark.parametrize("environ", [{}, {"AWS_ENDPOINT_URL": ""}])
def test_the_error_for_a_missing_endpoint_names_the_variable(environ: dict[str, str]) -> None:
    with pytest.raises(SimError, match="AWS_ENDPOINT_URL"):
        data_plane_of(environ)
