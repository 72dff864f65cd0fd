"""Production's Terraform in a local cloud."""

from __future__ import annotations

import os
from typing import Any

import pytest

from release.errors import CommandFailed
from release.roots import BOOTSTRAP
from release.terraform import Change, Root
from sim.cloud.aws_client import local_session
from sim.terraform.local_roots import Done, LocalRoots
from tests.cloud.shared import Client

TIMES = pytest.StashKey[list[Done]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The seconds that each root took."""
    if done := config.stash.get(TIMES, None):
        terminalreporter.section("Terraform's roots")
        for each in done:
            terminalreporter.write_line(f"{each.seconds:6.1f} s {each.doing} {each.root}")


@pytest.fixture(scope="session")
def provider(terraform: None, tmp_path_factory: pytest.TempPathFactory) -> None:  # noqa: ARG001 - it is there
    """Terraform can have it. Where it cannot the test is skipped with what Terraform says; in CI it fails."""
    try:
        LocalRoots(tmp_path_factory.mktemp("probe"), "", {}, print).root(BOOTSTRAP).init()
    except CommandFailed as failed:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"not applicable: {failed}")


def changes(root: Root) -> tuple[Change, ...]:
    """What an apply would change of a root's resources; nothing if all is as it should be."""
    return root.changes(root.plan(root.directory / "plan"))


def client(service: str, endpoint: str) -> Client:
    """A client of the account that Terraform has."""
    session: Any = local_session()
    return session.client(service, endpoint_url=endpoint)
