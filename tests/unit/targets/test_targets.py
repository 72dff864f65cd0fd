"""Which targets there are, and what they are not asked together."""

from __future__ import annotations

import subprocess
import tempfile

import pytest

from sim.errors import SimError
from sim.targets import LOCAL, create
from sim.targets.target import FAST, Provision


def test_what_is_not_started_here_is_not_provisioned_from_here() -> None:
    with pytest.raises(SimError, match="'aws' is not provisioned from here; choose one of process, docker"):
        create("aws", FAST, print, provision=Provision.TERRAFORM)


def test_what_terraform_made_is_not_taken_over() -> None:
    with pytest.raises(SimError, match="leave out --reuse or --provision"):
        create("docker", FAST, print, reuse=True, provision=Provision.TERRAFORM)


@pytest.mark.parametrize("name", LOCAL)
def test_a_target_that_is_not_up_has_started_nothing_and_can_be_taken_down(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun(*_args: object, **_options: object) -> None:
        raise AssertionError("something was started")

    monkeypatch.setattr(subprocess, "Popen", begun)
    monkeypatch.setattr(tempfile, "mkdtemp", begun)
    create(name, FAST, print).down()
