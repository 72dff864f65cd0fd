"""Reads Terraform's files with python-hcl2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.terraform.configuration import blocks, unquoted

TERRAFORM: Final = Path(__file__).parents[1] / "terraform"


@dataclass(frozen=True)
class Declaration:
    """A variable or an output. `type` and `default` are Terraform expressions; an attribute that is absent is None."""

    name: str
    type: str | None
    description: str | None
    default: str | None
    validated: bool


def folders(terraform: Path) -> list[Path]:
    """Every root and module below a folder, in the order of their names."""
    return sorted(versions.parent for versions in terraform.rglob("versions.tf") if ".terraform" not in versions.parts)


def is_module(folder: Path) -> bool:
    """True if the folder is a module, which roots use; false if it is a root, which is applied."""
    return folder.parent.name == "modules"


def variables(folder: Path) -> list[Declaration]:
    """The variables of a root or module, in the order of its file."""
    return list(_declarations(folder / "variables.tf", "variable"))


def outputs(folder: Path) -> list[Declaration]:
    """The outputs of a root or module, in the order of its file."""
    return list(_declarations(folder / "outputs.tf", "output"))


def expression(value: object) -> str:
    """An attribute's value as Terraform writes it, on one line."""
    match value:
        case bool():
            return str(value).lower()
        case None:
            return "null"
        case list():
            return "[" + ", ".join(map(expression, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{name} = {expression(each)}" for name, each in value.items()) + "}"
        case _:
            text = " ".join(str(value).split())
            return text[2:-1] if text.startswith("${") and text.endswith("}") else text


def _declarations(file: Path, kind: str) -> Iterator[Declaration]:
    for (name,), body in blocks(file, kind):
        yield Declaration(
            name,
            expression(body["type"]) if "type" in body else None,
            unquoted(body["description"]) if "description" in body else None,
            expression(body["default"]) if "default" in body else None,
            "validation" in body,
        )
