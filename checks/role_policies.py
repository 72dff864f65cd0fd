"""Reads from Terraform's files what the roles may do, and why where no test needs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from checks.terraform_code import folders
from sim.terraform.configuration import blocks, unquoted

_REASON: Final = re.compile(r"# Unused locally \(([^)]+)\): \S")
_NAME: Final = re.compile(r"[\w:*-]+")


@dataclass(frozen=True)
class Granted:
    """An action that a statement of a role's policy allows: where it is written, and whether a reason stands beside it.

    `folder` is below `terraform/`, and `document` the name of its `aws_iam_policy_document`.
    """

    folder: str
    document: str
    statement: str
    action: str
    has_reason: bool


def granted(terraform: Path) -> list[Granted]:
    """All that the policies of roles allow, without AWS's own policies. The policies of resources name principals."""
    return [
        each
        for folder in folders(terraform)
        for file in sorted(folder.glob("*.tf"))
        for (kind, *name), body in blocks(file, "data")
        if kind == "aws_iam_policy_document"
        for statement in body.get("statement", ())
        if "principals" not in statement and unquoted(statement.get("effect", "Allow")) == "Allow"
        for each in _granted(str(folder.relative_to(terraform)), name[0], statement)
    ]


def reasons(text: str) -> set[str]:
    """What comments such as `# Unused locally (sqs:PurgeQueue): why` of some Terraform name: actions and policies."""
    return {name for names in _REASON.findall(text) for name in _NAME.findall(names)}


def _granted(folder: str, document: str, statement: dict[str, Any]) -> Iterator[Granted]:
    named = reasons("".join(f"# {each['value']}\n" for each in statement.get("__comments__", ())))
    for action in map(unquoted, statement["actions"]):
        yield Granted(folder, document, unquoted(statement["sid"]), action, action in named)
