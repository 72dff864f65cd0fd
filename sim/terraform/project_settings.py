"""Which Terraform a project is: folders, files of variables, and variables. A state file keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProjectSettings:
    """The folders of a project's roots, files of variables, a later one first, and single variables by name."""

    roots: tuple[Path, ...]
    var_files: tuple[Path, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    def changed(self, variables: Mapping[str, str]) -> ProjectSettings:
        """The same with some variables changed."""
        return ProjectSettings(self.roots, self.var_files, tuple({**dict(self.variables), **variables}.items()))


def settings(roots: Sequence[Path], var_files: Sequence[Path], variables: Mapping[str, str]) -> ProjectSettings:
    """The settings as a command is given them, with absolute paths."""
    return ProjectSettings(
        tuple(each.absolute() for each in roots),
        tuple(each.absolute() for each in var_files),
        tuple(variables.items()),
    )
