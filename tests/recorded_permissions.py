"""What needs the permissions of Terraform's roles in tests, kept in a file to which Terraform is held.

`RECORD_PERMISSIONS=1` adds what a run does to the file. No run does everything, so none takes anything away: where
Terraform takes a permission away, remove it by hand, or remove the file and begin anew.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sim.aws.arn import last_part
from sim.cloud.permissions import RoleReport, reports

FILE: Final = Path(__file__).with_suffix(".json")
MANAGED: Final = "managed policies"
"""The statement of AWS's own policies, each of which is one permission: nobody can take a part of it away."""
_OF_TERRAFORM: Final = re.compile(r"emails-[a-z]+-(.+)")


class Given(NamedTuple):
    """An action of a role's statement by its Sid, as Terraform writes them. The role's name is without environment."""

    role: str
    statement: str
    action: str


Recorded = Mapping[Given, frozenset[str]]
"""Every permission with the operations that would be denied without it, such as `sqs:SendMessageBatch`."""


def recorded() -> Recorded:
    """What the file has; nothing if there is none."""
    kept = json.loads(FILE.read_text()) if FILE.is_file() else {}
    return {
        Given(role, statement, action): frozenset(operations)
        for role, statements in kept.items()
        for statement, actions in statements.items()
        for action, operations in actions.items()
    }


def record(endpoint: str) -> None:
    """Adds to the file what the roles of a local cloud did so far, if the environment says so."""
    if os.environ.get("RECORD_PERMISSIONS") != "1":
        return
    kept: dict[str, dict[str, dict[str, list[str]]]] = {}
    for given, operations in merged(recorded(), needed(reports(endpoint))).items():
        kept.setdefault(given.role, {}).setdefault(given.statement, {})[given.action] = sorted(operations)
    FILE.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")


def needed(found: Iterable[RoleReport]) -> Recorded:
    """What needs the permissions of Terraform's roles, as the control plane reports it."""
    of: dict[Given, frozenset[str]] = {}
    for report in found:
        if not (role := _OF_TERRAFORM.fullmatch(last_part(report.role))):
            continue
        for each in (*report.used, *report.unused):
            managed = each.policy.startswith("arn:")
            named = (MANAGED, last_part(each.policy)) if managed else (each.statement, each.action)
            given = Given(role[1], *named)
            of[given] = of.get(given, frozenset()) | frozenset(each.needed_by or ())
    return of


def merged(one: Recorded, other: Recorded) -> Recorded:
    """What is in either of two recordings."""
    nothing: frozenset[str] = frozenset()
    return {given: one.get(given, nothing) | other.get(given, nothing) for given in {**one, **other}}
