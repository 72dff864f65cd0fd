"""What requests of the registry's protocol are about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.aws.ecr_authorization import PrivateRegistry
from sim.cloud.registry.routes import Blob, Manifest, Route, Tags, Version, route, stored

DIGEST = f"sha256:{'0' * 64}"
NAMES = st.from_regex(r"[a-z0-9]+([._/-][a-z0-9]+){0,3}", fullmatch=True)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("/v2/", Version()),
        ("/v2", Version()),
        ("/v2/emails/api/manifests/1.0.0", Manifest("emails/api", "1.0.0")),
        (f"/v2/emails/api/manifests/{DIGEST}", Manifest("emails/api", DIGEST)),
        (f"/v2/api/blobs/{DIGEST}", Blob("api", f"blobs/{DIGEST}")),
        ("/v2/api/blobs/uploads/", Blob("api", "blobs/uploads/")),
        (f"/v2/api/blobs/uploads/?mount={DIGEST}&from=other", Blob("api", "blobs/uploads/")),
        ("/v2/api/tags/list?n=5", Tags("api")),
        ("/v2/manifests/manifests/manifests/latest", Manifest("manifests/manifests", "latest")),
    ],
)
def test_each_request_is_about_one_thing(target: str, found: Route) -> None:
    assert route(target) == found


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v2/../../etc/manifests/1",
        "/v2/emails//api/manifests/",
        "/v2/Emails/manifests/1",
        "/v2/api/blobs/sha256:0",
        "/v2/api/manifests/a/b",
        "/v2/_catalog",
    ],
)
def test_what_a_registry_does_not_have_is_nothing(target: str) -> None:
    assert route(target) is None


@given(NAMES)
def test_every_repository_has_its_own_place_in_the_storage(name: str) -> None:
    assert route(f"/v2/{name}/blobs/{DIGEST}") == Blob(name, f"blobs/{DIGEST}")
    places = {
        stored(PrivateRegistry(account, region), name, f"blobs/{DIGEST}") for account in ("1", "2") for region in "ab"
    }
    assert len(places) == 4
    assert route(places.pop()) is not None
