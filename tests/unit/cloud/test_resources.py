"""Where the local cloud is."""

from __future__ import annotations

import pytest

from sim.cloud.resources import data_plane_of
from sim.errors import SimError


def test_the_cloud_is_where_the_sdks_look_for_it() -> None:
    assert data_plane_of({"AWS_ENDPOINT_URL": "http://cloud:1"}).resources.queue_url.startswith("http://cloud:1/")


@pytest.mark.parametrize("environ", [{}, {"AWS_ENDPOINT_URL": ""}])
def test_without_an_endpoint_the_variable_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(SimError, match="AWS_ENDPOINT_URL"):
        data_plane_of(environ)
