"""The header by which an ALB traces a request."""

from __future__ import annotations

import pytest

from sim.cluster.balancer import request_tracing
from sim.cluster.balancer.request_tracing import traced
from tests.unit.cluster.proves import proves

OWN = "1-67891233-abcdef012345678912345678"
ROOT = "Root=1-00000001-0123456789abcdef01234567"


@proves(request_tracing.traced)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"Root={OWN}"),
        ("CalledFrom=app", f"CalledFrom=app;Root={OWN}"),
        (f"{ROOT}; CalledFrom=app", f"Self={OWN};{ROOT};CalledFrom=app"),
        (f"Self=1-2-3;{ROOT}", f"Self={OWN};{ROOT}"),
    ],
)
def test_a_request_has_one_root_and_each_load_balancer_names_itself(before: str, after: str) -> None:
    assert traced(before, 0x67891233, "abcdef012345678912345678") == after
