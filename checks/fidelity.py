"""`python -m checks.fidelity`: `docs/fidelity.md`, made from the rules of `sim/cluster` and the tests that prove them.

With `--write` it updates the page; without, it checks that the page is up to date.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

import sim.cluster
from sim.cluster.citations import ECS_API, LeftOut, Rule, rule_of
from sim.cluster.task_definition_fields import FIELDS

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "fidelity.md"
_TESTS: Final = ("tests/unit/cluster", "tests/property/cluster")
_PREFACE: Final = """\
# What the cluster does as AWS does it

Each rule of ECS, Auto Scaling, CloudWatch and the load balancers that `sim/cluster` has, and the page of AWS that
states it. A rule that no page states is *inferred*, with the reason. The last column names the test that proves the
rule. The end of the page has what is left out, and what becomes of each part of a task definition. The page is made by
`python -m checks.fidelity --write`.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A rule, the name of its function (`module.name`), and the tests that prove it."""

    name: str
    rule: Rule
    proofs: tuple[str, ...]


def main(*, write: bool) -> int:
    """Returns the exit status: 1 if the page is out of date and `write` is false, or a rule has no test."""
    wanted = page(modules())
    stale = not PAGE.exists() or PAGE.read_text() != wanted
    if stale and write:
        PAGE.write_text(wanted)
    elif stale:
        print(f"{PAGE.relative_to(ROOT)} is out of date: run `python -m checks.fidelity --write`")
    return int(stale and not write)


def modules() -> list[ModuleType]:
    """All modules of `sim.cluster`."""
    names = sorted(each.name for each in pkgutil.walk_packages(sim.cluster.__path__, "sim.cluster."))
    return [importlib.import_module(name) for name in names]


def page(of: Iterable[ModuleType]) -> str:
    """The text of the page for these modules."""
    proofs = _proofs()
    rooms: dict[str, list[Row]] = {}
    left_out: list[LeftOut] = []
    for module in of:
        left_out += getattr(module, "LEFT_OUT", ())
        if rows := list(_rows(module, proofs)):
            rooms[module.__name__] = rows
    return "\n".join(
        [
            _PREFACE,
            *(line for room, rows in rooms.items() for line in _table(room, rows)),
            *_rest(left_out),
            *_fields(),
        ]
    )


def unproved(of: Iterable[ModuleType]) -> list[str]:
    """The names of the rules that no test proves."""
    proofs = _proofs()
    return [each.name for module in of for each in _rows(module, proofs) if not each.proofs]


def _rows(module: ModuleType, proofs: dict[str, list[str]]) -> Iterator[Row]:
    for function in vars(module).values():
        rule = rule_of(function)
        if rule and function.__module__ == module.__name__:
            name = f"{module.__name__}.{function.__name__}"
            yield Row(name, rule, tuple(proofs.get(name, ())))


def _proofs() -> dict[str, list[str]]:
    """The names of the tests, by the rule that they prove."""
    found: dict[str, list[str]] = {}
    for folder in _TESTS:
        for path in sorted((ROOT / folder).rglob("test_*.py")):
            for test, rule in _marked(_imported(path)):
                found.setdefault(rule, []).append(f"{path.relative_to(ROOT)}::{test}")
    return found


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"proofs.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported as a test")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _marked(module: ModuleType) -> Iterator[tuple[str, str]]:
    for name, test in vars(module).items():
        for mark in getattr(test, "pytestmark", ()) if name.startswith("test_") else ():
            if mark.name == "proves":
                yield from ((name, f"{rule.__module__}.{rule.__qualname__}") for rule in mark.args)


def _table(room: str, rows: Iterable[Row]) -> Iterator[str]:
    yield from [f"## `{room}`", "", "| rule | where from | proved by |", "| --- | --- | --- |"]
    for row in rows:
        source = f"[{_title(row.rule.page)}]({row.rule.page})" if row.rule.page else f"*inferred*: {row.rule.reason}"
        proofs = "<br>".join(f"`{each}`" for each in row.proofs) or "**no test**"
        yield f"| {_cell(row.rule.says)} | {_cell(source)} | {proofs} |"
    yield ""


def _rest(left_out: Iterable[LeftOut]) -> Iterator[str]:
    yield from ["## Left out", "", "| what AWS does | page | why the cores do not |", "| --- | --- | --- |"]
    yield from (
        f"| {_cell(each.what)} | [{_title(each.page)}]({each.page}) | {_cell(each.reason)} |" for each in left_out
    )
    yield ""


def _fields() -> Iterator[str]:
    yield from [
        "## Task definitions",
        "",
        "What the agent of a container instance makes of each parameter of [RegisterTaskDefinition]"
        f"({ECS_API}RegisterTaskDefinition.html), where tasks are containers and where they are processes.",
        "",
        "| parameter | containers | processes | difference |",
        "| --- | --- | --- | --- |",
    ]
    for name, field in FIELDS.items():
        limited = f" ({', '.join(sorted(field.values))})" if field.values else ""
        done = " | ".join("yes" + limited if each else "**no**" for each in (field.containers, field.processes))
        yield f"| `{name}` | {done} | {_cell(field.note)} |"
    yield ""


def _title(page: str) -> str:
    return page.rpartition("/")[2].removesuffix(".html")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(write="--write" in sys.argv[1:]))
