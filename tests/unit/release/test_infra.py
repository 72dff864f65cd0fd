"""Plans of roots while deployments go on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from release.infra import plan
from release.terraform import Plan, Root


class Deployed:
    """The root of a service that other runs deploy: each of `images` is what it runs when it is asked again."""

    name = "services/api"

    def __init__(self, *images: str | None) -> None:
        self._images = iter(images)
        self.planned: list[Mapping[str, str]] = []

    def init(self) -> None:
        """Needs nothing."""

    def image_tag(self) -> str | None:
        return next(self._images)

    def plan(self, file: Path, variables: Mapping[str, str], *, lock: bool) -> Plan:
        assert not lock
        self.planned.append(variables)
        return Plan(file, "", changes=True)


def planned(root: Deployed) -> list[Mapping[str, str]]:
    assert plan([cast("Root", root)], lambda _name, _plan: None) == [root.name]
    return root.planned


def test_what_a_service_runs_stays_what_it_is() -> None:
    assert planned(Deployed("sha256:1", "sha256:1")) == [{"image_tag": "sha256:1"}]
    assert planned(Deployed(None, None)) == [{"image_tag": "none"}]


def test_a_deployment_that_ends_while_terraform_plans_is_not_undone() -> None:
    assert planned(Deployed("sha256:1", "sha256:2", "sha256:2", "sha256:2"))[-1] == {"image_tag": "sha256:2"}
