"""Each checkout has a compose project of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from dotenv import dotenv_values

from sim.images.checkout import name_project


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "one" / "pipeline").mkdir(parents=True)
    return tmp_path / "one" / "pipeline"


def test_the_project_is_named_in_the_file_that_compose_reads(checkout: Path) -> None:
    name = name_project(checkout)
    assert dotenv_values(checkout / ".env") == {"COMPOSE_PROJECT_NAME": name}
    assert name_project(checkout) == name


def test_other_settings_stay_as_they_are(checkout: Path) -> None:
    (checkout / ".env").write_text("# mine\nBASE_IMAGE=mine/python:1\n")
    name = name_project(checkout)
    assert (checkout / ".env").read_text() == f"# mine\nBASE_IMAGE=mine/python:1\nCOMPOSE_PROJECT_NAME={name}\n"


def test_a_name_that_a_person_chose_stays(checkout: Path) -> None:
    (checkout / ".env").write_text("COMPOSE_PROJECT_NAME=mine\n")
    assert name_project(checkout) == "mine"
    assert (checkout / ".env").read_text() == "COMPOSE_PROJECT_NAME=mine\n"


def test_a_copy_of_a_checkout_is_another_project(checkout: Path, tmp_path: Path) -> None:
    name = name_project(checkout)
    copied = tmp_path / "two" / "pipeline"
    shutil.copytree(checkout, copied)
    assert name_project(copied) != name
    assert name_project(checkout) == name
