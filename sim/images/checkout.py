"""This checkout, and the names that are its own on a machine with several."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from dotenv import dotenv_values, set_key

ROOT: Final = Path(__file__).resolve().parents[2]
"""The folder of the checkout that images are built from."""

_PROJECT: Final = "COMPOSE_PROJECT_NAME"
_GIVEN: Final = re.compile("emails-[0-9a-f]{12}")


def identity(checkout: Path = ROOT) -> str:
    """Twelve hexadecimal digits that no other folder has."""
    return hashlib.sha256(str(checkout).encode()).hexdigest()[:12]


def settings_file(checkout: Path = ROOT) -> Path:
    """The file from which compose reads the settings of a checkout."""
    return checkout / ".env"


def name_project(checkout: Path = ROOT) -> str:
    """Gives the checkout a compose project of its own, in its file of settings. Returns the project's name.

    Otherwise compose names a project after the folder, and checkouts in folders of one name take over each other's
    containers. A name that a person chose stays; one that came with a copy of another checkout does not.
    https://docs.docker.com/compose/how-tos/project-name/
    """
    file = settings_file(checkout)
    chosen = dotenv_values(file).get(_PROJECT)
    if chosen and not _GIVEN.fullmatch(chosen):
        return chosen
    name = f"emails-{identity(checkout)}"
    if chosen != name:
        set_key(file, _PROJECT, name, quote_mode="never")
    return name
