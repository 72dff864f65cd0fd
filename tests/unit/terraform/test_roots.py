"""The roots, their order and their variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.roots import NEEDS
from services.pipeline.version import version
from sim.terraform.root_order import (
    TERRAFORM,
    BadVariable,
    NoSuchRoot,
    chosen,
    dependents,
    given,
    is_ours,
    variables_of,
)


def test_every_root_is_known_and_comes_after_the_roots_that_it_needs() -> None:
    folders = {str(each.parent.relative_to(TERRAFORM)) for each in TERRAFORM.rglob("versions.tf")}
    assert {each for each in folders if not each.startswith("modules/")} == set(NEEDS)
    order = list(NEEDS)
    assert all(order.index(need) < order.index(root) for root, needs in NEEDS.items() for need in needs)


def test_a_root_needs_the_roots_whose_state_it_reads() -> None:
    def reached(root: str) -> set[str]:
        return {root}.union(*(reached(need) for need in NEEDS[root]))

    for root in NEEDS:
        text = "".join(path.read_text() for path in (TERRAFORM / root).glob("*.tf"))
        read = {other for other in NEEDS if f'"{other}/terraform.tfstate"' in text} - {root}
        assert read <= reached(root)


def test_roots_are_destroyed_in_reverse_order() -> None:
    assert list(dependents()) == list(reversed(NEEDS))
    assert dependents()["network"] == ("cluster",)
    assert dependents()["github"] == ()


@pytest.mark.parametrize("named", ["network", "terraform/network", "./terraform/network/"])
def test_a_root_is_named_by_its_folder(named: str) -> None:
    assert chosen([named]) == ("network",)
    assert chosen([]) == tuple(NEEDS)


def test_an_unknown_root_is_refused_and_the_known_ones_are_listed() -> None:
    with pytest.raises(NoSuchRoot, match=r"no root netwerk; there are: bootstrap, account"):
        chosen(["netwerk"])


def test_an_unknown_variable_is_refused() -> None:
    with pytest.raises(BadVariable, match=r"no root has a variable image_tga; there are: .*image_tag"):
        given(["image_tga=1"])
    with pytest.raises(BadVariable, match="write NAME=VALUE"):
        given(["image_tag"])


def test_a_root_gets_only_the_variables_that_it_declares() -> None:
    variables = given(["environment=blue", 'client_cidrs=["10.0.0.0/8"]', "visibility_timeout_seconds=3"])
    assert variables_of("messaging", variables) == {
        "environment": "blue",
        "disposable": "true",
        "visibility_timeout_seconds": "3",
    }
    assert variables_of("services/api", {})["image_tag"] == version("api")
    assert variables_of("services/api", {"image_tag": "none"})["image_tag"] == "none"


def test_a_folder_elsewhere_is_a_root_of_another_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_ours(str(TERRAFORM / "network"))
    monkeypatch.chdir(tmp_path)
    assert is_ours("network")
    (tmp_path / "network").mkdir()
    assert not is_ours("network")
