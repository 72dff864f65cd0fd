"""The roots of `terraform/` in the order in which they need each other, and their variables on the laptop."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import services
from release.roots import NEEDS
from services.pipeline.version import version
from sim.errors import SimError

TERRAFORM: Final = Path(services.__file__).parents[1] / "terraform"
_DEFAULTS: Final = {
    "environment": "local",
    "disposable": "true",
    "ami": "recommended",
    "allow_plain_http": "true",
    "repository": "example/emails",
    "repository_ids": '{ "owner": 1, "repository": 2 }',
}
_DECLARED: Final = re.compile(r'^variable "(\w+)"', re.MULTILINE)


class NoSuchRoot(SimError):
    """The caller named a root that does not exist."""


class BadVariable(SimError):
    """The caller set a variable that no root has, or did not write NAME=VALUE."""


def is_ours(folder: str) -> bool:
    """True if the folder names a root of `terraform/`: by its name, unless another folder is there, or by its path."""
    path = Path(folder)
    return path.resolve().is_relative_to(TERRAFORM) if path.is_dir() else True


def chosen(folders: Iterable[str]) -> tuple[str, ...]:
    """The roots in folders such as `terraform/network` or `network`, in their order; all roots if none is named.

    Raises NoSuchRoot.
    """
    names = {folder.strip("/").removeprefix("./").removeprefix("terraform/") for folder in folders}
    if unknown := sorted(names - NEEDS.keys()):
        raise NoSuchRoot(f"there is no root {', '.join(unknown)}; there are: {', '.join(NEEDS)}")
    return tuple(root for root in NEEDS if root in names or not names)


def dependents() -> dict[str, tuple[str, ...]]:
    """Each root with the roots that need it, in the order in which they are destroyed."""
    return {root: tuple(other for other, needs in NEEDS.items() if root in needs) for root in reversed(NEEDS)}


def given(assignments: Iterable[str]) -> dict[str, str]:
    """Variables that a root of `terraform/` has, from NAME=VALUE on the command line. Raises BadVariable."""
    variables = assigned(assignments)
    known = {name for root in NEEDS for name in _declared(root)}
    if unknown := sorted(variables.keys() - known):
        raise BadVariable(f"no root has a variable {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    return variables


def assigned(assignments: Iterable[str]) -> dict[str, str]:
    """Variables by name, from NAME=VALUE on the command line. Raises BadVariable."""
    variables = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise BadVariable(f"{assignment!r} is no variable: write NAME=VALUE, such as image_tag=1.2.3")
        variables[name] = value
    return variables


def variables_of(root: str, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that the root declares: from `variables`, else the defaults of a local environment."""
    defaults = dict(_DEFAULTS)
    if root.startswith("services/"):
        defaults["image_tag"] = version(root.rpartition("/")[2])
    declared = _declared(root)
    return {name: value for name, value in {**defaults, **variables}.items() if name in declared}


def _declared(root: str) -> list[str]:
    return _DECLARED.findall((TERRAFORM / root / "variables.tf").read_text())
