"""Terraform's files, read as `terraform fmt` leaves them: a block begins and ends at the margin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TERRAFORM: Final = Path(__file__).parents[1] / "terraform"

_BLOCK: Final = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"^  (\w+) += (.+(?:\n    .*)*(?:\n  []})]+)?)", re.MULTILINE)


@dataclass(frozen=True)
class Declaration:
    """A variable or an output. An attribute is as it is written, None if it is not; a string is without its quotes."""

    name: str
    type: str | None
    description: str | None
    default: str | None
    validated: bool


def folders(terraform: Path) -> list[Path]:
    """Every root and module below a folder, in the order of their names."""
    return sorted(versions.parent for versions in terraform.rglob("versions.tf") if ".terraform" not in versions.parts)


def is_module(folder: Path) -> bool:
    """Whether roots use it, rather than that it is applied."""
    return folder.parent.name == "modules"


def variables(folder: Path) -> list[Declaration]:
    """What it takes, in the order of its file."""
    return list(_declarations(folder / "variables.tf", "variable"))


def outputs(folder: Path) -> list[Declaration]:
    """What it gives, in the order of its file."""
    return list(_declarations(folder / "outputs.tf", "output"))


def _declarations(file: Path, kind: str) -> Iterator[Declaration]:
    for found, name, body in _BLOCK.findall(file.read_text()):
        if found == kind:
            attributes = {name: " ".join(value.split()) for name, value in _ATTRIBUTE.findall(body)}
            description = attributes.get("description")
            yield Declaration(
                name,
                attributes.get("type"),
                description and description.strip('"'),
                attributes.get("default"),
                "  validation {" in body,
            )
