"""What the end-to-end tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.pipeline.message import Email
from sim.targets.target import Capability, Progress, Target, Tuning
from tests.e2e.scaled import scaled_cluster
from tests.recorded_permissions import record


@pytest.fixture(scope="session")
def chosen_target(
    request: pytest.FixtureRequest,
    chosen_target: Target,
    tuning: Tuning,
    progress: Progress,
    tmp_path_factory: pytest.TempPathFactory,
) -> Target:
    """The session's pipeline, not yet up. A faster clock of AWS wants health checks that come less often."""
    if tuning.time_scale == 1:
        return chosen_target
    return scaled_cluster(tuning, progress, request.config.getoption("--runtime"), tmp_path_factory.mktemp("roots"))


@pytest.fixture(scope="module", autouse=True)
def _roles_recorded(running_target: Target) -> Iterator[None]:
    """What the roles of the cluster use of their permissions is recorded, if the environment says so."""
    yield
    if Capability.DEPLOY in running_target.capabilities:
        record(running_target.data_plane.endpoint)


@pytest.fixture
def emails(email: Email) -> list[Email]:
    """Six hundred different e-mails: they take the worker a second at least."""
    return [email.model_copy(update={"email_subject": f"number {number}"}) for number in range(600)]
