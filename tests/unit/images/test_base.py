"""Which base images are chosen, and that all who name one name the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.cloud.localstack.venv import LOCK
from sim.images.base_image import LOCALSTACK_VERSION, OFFICIAL, OFFLINE, BaseImages, choose

ROOT = Path(__file__).resolve().parents[3]


def nobody_asks(image: str) -> bool:
    raise AssertionError(f"asked for {image}")


def test_the_official_images_where_they_can_be_had() -> None:
    assert choose({}, lambda image: image == OFFICIAL.python) == OFFICIAL


def test_the_offline_images_where_they_cannot() -> None:
    assert choose({}, lambda _: False) == OFFLINE


def test_what_the_environment_names_goes_first_and_nothing_is_asked() -> None:
    named = BaseImages("mine/python:1", "mine/localstack:2")
    assert choose(named.environment(), nobody_asks) == named


@pytest.mark.parametrize("obtainable", [True, False])
def test_what_the_environment_leaves_open_is_chosen(obtainable: bool) -> None:
    default = OFFICIAL if obtainable else OFFLINE
    assert choose({"BASE_IMAGE": "mine/python:1"}, lambda _: obtainable) == BaseImages(
        "mine/python:1", default.localstack
    )
    assert choose({"LOCALSTACK_IMAGE": "mine/localstack:2", "BASE_IMAGE": ""}, lambda _: obtainable) == BaseImages(
        default.python, "mine/localstack:2"
    )


def test_localstack_is_the_same_release_as_a_process_and_as_a_container() -> None:
    assert f"localstack-core=={LOCALSTACK_VERSION} " in LOCK.read_text()


@pytest.mark.parametrize(
    "dockerfile",
    [
        "services/api/Dockerfile",
        "services/worker/Dockerfile",
        "sim/images/gateway.Dockerfile",
        "sim/images/localstack.Dockerfile",
    ],
)
def test_a_dockerfile_alone_builds_on_the_official_image(dockerfile: str) -> None:
    assert f"ARG BASE_IMAGE={OFFICIAL.python}\n" in ROOT.joinpath(dockerfile).read_text()
