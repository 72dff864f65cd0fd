"""Anybody's roots of Terraform: in which order they are applied, and which settings are different on the laptop.

A root's own files stay as they are. What is different is in override files beside their copies.
https://developer.hashicorp.com/terraform/language/files/override
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

from sim.errors import SimError
from sim.terraform.configuration import REMOTE_STATE, Configuration, StatePlace, referenced

OVERRIDE: Final = "sim_override.tf"
STATE: Final = "terraform.tfstate"
VARIABLES: Final = "sim.tfvars"
"""What the kit has written beside a root's copy: what is different, its state, and the single variables."""


class BadRoot(SimError):
    """A folder is no root of Terraform, or the roots do not go together."""


@dataclass(frozen=True)
class Project:
    """Roots in the order in which they are applied. `needs` has those that each reads the state of, by data source."""

    roots: tuple[Configuration, ...]
    needs: Mapping[Path, Mapping[str, Path]]

    @property
    def folder(self) -> Path:
        """The innermost folder that has all of it."""
        return Path(os.path.commonpath(self.parts))

    @property
    def parts(self) -> list[Path]:
        """The folders and files that the roots are made of."""
        roots = [each.folder for each in self.roots]
        return sorted({*roots, *(found for root in roots for found in referenced(root))})

    @property
    def state_buckets(self) -> list[str]:
        """The buckets of states that no root makes."""
        made = frozenset().union(*(each.buckets for each in self.roots))
        return sorted({each.state_bucket for each in self.roots if each.state_bucket} - made)

    @property
    def profiles(self) -> frozenset[str]:
        """The profiles of AWS that the providers of the roots name."""
        return frozenset().union(*(each.profiles for each in self.roots))

    def name(self, root: Configuration) -> str:
        """The root's folder as its user knows it: below the innermost folder that has all roots."""
        folders = [each.folder for each in self.roots]
        return str(root.folder.relative_to(Path(os.path.commonpath([each.parent for each in folders]))))

    def override(self, root: Configuration, copies: Path) -> str:
        """What is different for a root whose copy is below `copies`, in Terraform's language; "" for nothing.

        Its state is a file beside its copy, and so are the states that it reads.
        """
        lines = ['terraform {\n  backend "local" {}\n}\n'] if root.backend else []
        for name, other in self.needs[root.folder].items():
            path = json.dumps(str(copies / other.relative_to(self.folder) / STATE))
            lines.append(
                f'data "{REMOTE_STATE}" "{name}" {{\n  backend = "local"\n  config = {{\n    path = {path}\n  }}\n}}\n'
            )
        return "\n".join(lines)


def assignments(root: Configuration, variables: Mapping[str, str]) -> str:
    """The variables that a root declares, as the text of a file of variables.

    As on Terraform's command line, a value is an expression unless the variable is a string or of no type.
    https://developer.hashicorp.com/terraform/language/values/variables#variables-on-the-command-line
    """
    declared = {name: value for name, value in variables.items() if name in root.variables}
    texts = {
        name: value if root.variables[name] not in {"", "any", "string"} else json.dumps(value)
        for name, value in declared.items()
    }
    return "".join(f"{name} = {text}\n" for name, text in texts.items())


def project(configurations: Sequence[Configuration]) -> Project:
    """Puts roots in order: each after those whose states it reads, and else as they are given. Raises BadRoot."""
    for each in configurations:
        if not any(each.folder.glob("*.tf")):
            raise BadRoot(f"{each.folder} is no root of Terraform: it has no file *.tf")
    needs = {each.folder: _needs(each, configurations) for each in configurations}
    try:
        order = list(TopologicalSorter({folder: of.values() for folder, of in needs.items()}).static_order())
    except CycleError as error:
        raise BadRoot(f"these roots read each other's states: {', '.join(map(str, error.args[1]))}") from None
    return Project(tuple(sorted(configurations, key=lambda each: order.index(each.folder))), needs)


def _needs(root: Configuration, roots: Sequence[Configuration]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, place in root.reads.items():
        owners = [each.folder for each in roots if each is not root and place.may_be(_place_of(each))]
        if len(owners) != 1:
            which = ", ".join(map(str, owners)) or "none of the roots"
            raise BadRoot(
                f'data "{REMOTE_STATE}" "{name}" in {root.folder} reads a state that belongs to {which}: '
                f"{place.kind} {dict(place.settings)}; name the root that has it with --root"
            )
        found[name] = owners[0]
    return found


def _place_of(root: Configuration) -> StatePlace:
    """The place of a root's state. Without a backend it is a file in the root's folder."""
    local = StatePlace("local", {"path": str(root.folder / STATE)})
    if root.backend is None or (root.backend.kind == "local" and "path" not in root.backend.settings):
        return local
    return root.backend
