"""The emulators that are running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance import emulators
from tests.conformance.emulators import Emulator


@pytest.fixture(scope="module", params=["LocalStack", "moto"])
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Each of the two in turn."""
    with {"LocalStack": emulators.localstack, "moto": emulators.moto}[request.param]() as running:
        yield running
