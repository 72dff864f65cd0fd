"""Which base images are taken, and that all who name one name the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim.cloud.localstack.venv import LOCK
from sim.images.base_image import LOCALSTACK_VERSION, OFFICIAL, BaseImages, settings

ROOT = Path(__file__).resolve().parents[3]


def test_the_official_images_where_nothing_else_is_set() -> None:
    assert BaseImages.of({}) == OFFICIAL
    assert BaseImages.of({"BASE_IMAGE": "", "LOCALSTACK_IMAGE": None}) == OFFICIAL


def test_each_is_set_by_itself() -> None:
    assert BaseImages.of({"BASE_IMAGE": "mine/python:1"}) == replace(OFFICIAL, python="mine/python:1")
    assert BaseImages.of({"LOCALSTACK_IMAGE": "mine/localstack:2"}) == replace(OFFICIAL, localstack="mine/localstack:2")
    all_ = BaseImages("mine/python:1", "mine/localstack:2", "mine/registry:3")
    assert BaseImages.of(all_.settings()) == all_


def test_the_file_env_of_the_checkout_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BASE_IMAGE=mine/python:1\nLOCALSTACK_IMAGE=mine/localstack:1\n")
    set_ = settings({"LOCALSTACK_IMAGE": "mine/localstack:2"}, tmp_path)
    assert BaseImages.of(set_) == BaseImages("mine/python:1", "mine/localstack:2")


def test_no_file_is_needed(tmp_path: Path) -> None:
    assert settings({"NAME": "value"}, tmp_path) == {"NAME": "value"}


def test_localstack_is_the_same_release_as_a_process_and_as_a_container() -> None:
    assert f"localstack-core=={LOCALSTACK_VERSION} " in LOCK.read_text()


@pytest.mark.parametrize(
    "dockerfile",
    ["services/api/Dockerfile", "services/worker/Dockerfile", "sim/images/kit.Dockerfile", ".ci/localstack.Dockerfile"],
)
def test_a_dockerfile_alone_builds_on_the_official_image(dockerfile: str) -> None:
    assert f"ARG BASE_IMAGE={OFFICIAL.python}\n" in ROOT.joinpath(dockerfile).read_text()
