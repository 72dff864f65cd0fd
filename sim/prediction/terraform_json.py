"""The resources in what `terraform show -json` prints of a plan or of a state, of any project.

A plan knows less than a state: what AWS fills in is unknown until the apply, and left out. Where a resource refers to
another one, the plan's configuration says so, and `Resource.refers_to` has it.

https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.errors import SimError

Values = Mapping[str, Any]


class NotTerraformJson(SimError):
    """A file that is not what `terraform show -json` prints."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as it will be, or is. `unknown` names the arguments that only the apply will tell.

    `refers_to` has, by argument, the addresses of the resources that its expression names.
    """

    address: str
    type: str
    values: Values
    unknown: frozenset[str] = frozenset()
    refers_to: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        """An argument's value, or the default where it is not set or not known."""
        value = self.values.get(name)
        return default if value is None else value

    def block(self, name: str) -> Values:
        """A nested block that may be there once."""
        blocks = self.values.get(name) or ()
        return blocks[0] if blocks else {}


def read(path: Path, text: str) -> list[Resource]:
    """The managed resources in a file's text, those to be destroyed left out. Raises NotTerraformJson."""
    try:
        content = json.loads(text)
    except ValueError:
        raise NotTerraformJson(
            f"{path} is no JSON: write it with `terraform show -json PLAN > {path.stem}.json`"
        ) from None
    if not isinstance(content, dict) or "format_version" not in content:
        raise NotTerraformJson(
            f"{path} is neither a plan nor a state: it has no format_version, as `terraform show -json` writes"
        )
    if "planned_values" in content or "resource_changes" in content:
        return list(_planned(content))
    return [_held(each) for each in _resources((content.get("values") or {}).get("root_module") or {})]


def _planned(plan: Values) -> Iterator[Resource]:
    references = dict(_references((plan.get("configuration") or {}).get("root_module") or {}, ""))
    for change in plan.get("resource_changes") or ():
        after = change.get("change", {}).get("after")
        if change.get("mode") != "managed" or not after:
            continue
        unknown = change["change"].get("after_unknown") or {}
        yield Resource(
            address=change["address"],
            type=change["type"],
            values=after,
            unknown=frozenset(name for name, is_unknown in unknown.items() if is_unknown is True),
            refers_to=references.get(_without_index(change["address"]), {}),
        )


def _held(resource: Values) -> Resource:
    return Resource(resource["address"], resource["type"], resource.get("values") or {})


def _resources(module: Values) -> Iterator[Values]:
    yield from (each for each in module.get("resources") or () if each.get("mode") == "managed")
    for child in module.get("child_modules") or ():
        yield from _resources(child)


def _references(module: Values, prefix: str) -> Iterator[tuple[str, Mapping[str, frozenset[str]]]]:
    """The resources that each argument names, by the address of the resource without its index."""
    for resource in module.get("resources") or ():
        yield (
            f"{prefix}{resource['address']}",
            {
                name: frozenset(_followed(module, prefix, named))
                for name, expression in (resource.get("expressions") or {}).items()
                if (named := _named(expression))
            },
        )
    for name, call in (module.get("module_calls") or {}).items():
        yield from _references(call.get("module") or {}, f"{prefix}module.{name}.")


def _named(expression: Any) -> Sequence[str]:
    if isinstance(expression, dict):
        own = expression.get("references") or ()
        return [*own, *(each for value in expression.values() if value is not own for each in _named(value))]
    if isinstance(expression, list):
        return [each for value in expression for each in _named(value)]
    return []


def _followed(module: Values, prefix: str, named: Sequence[str]) -> Iterator[str]:
    """The addresses behind references: of resources here, and of those behind the output of a module."""
    for reference in named:
        parts = reference.replace("[", ".").split(".")
        if parts[0] == "module" and len(parts) > 2:  # noqa: PLR2004 - module.NAME.OUTPUT
            call = (module.get("module_calls") or {}).get(parts[1]) or {}
            child = call.get("module") or {}
            output = next((each for each in parts[2:] if each in (child.get("outputs") or {})), "")
            inner = _named((child.get("outputs") or {}).get(output, {}).get("expression"))
            yield from _followed(child, f"{prefix}module.{parts[1]}.", inner)
        elif parts[0] not in {"var", "local", "data", "each", "count", "path", "module"} and len(parts) > 1:
            yield f"{prefix}{parts[0]}.{parts[1]}"


def _without_index(address: str) -> str:
    """`module.a["x"].aws_b.c[0]` as the configuration has it: `module.a.aws_b.c`."""
    kept, depth = [], 0
    for letter in address:
        depth += letter == "["
        if not depth:
            kept.append(letter)
        depth -= letter == "]"
    return "".join(kept)


def same_resource(resource: Resource, addresses: frozenset[str]) -> bool:
    """Whether the resource is one of those that an expression names."""
    return _without_index(resource.address) in addresses
