"""Which targets there are, and what they are not asked together."""

from __future__ import annotations

import pytest

from sim.errors import SimError
from sim.targets import create
from sim.targets.target import FAST, Provision


def test_what_is_not_started_here_is_not_provisioned_from_here() -> None:
    with pytest.raises(SimError, match="'aws' is not provisioned from here; choose one of process, docker"):
        create("aws", FAST, print, provision=Provision.TERRAFORM)


def test_what_terraform_made_is_not_taken_over() -> None:
    with pytest.raises(SimError, match="leave out --reuse or --provision"):
        create("docker", FAST, print, reuse=True, provision=Provision.TERRAFORM)
