"""`python -m checks.terraform_readme`: generates the second half of each README of a root or module.

The text above the line is written by hand. With `--write` it updates the READMEs; without, it checks them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from checks.terraform_code import TERRAFORM, Declaration, folders, outputs, variables

_LINE: Final = "<!-- From here on made by `make readmes`. -->"


def main(*, write: bool) -> int:
    """Returns the exit status: 1 if a README is out of date and `write` is false."""
    stale = {
        folder / "README.md": wanted for folder in folders(TERRAFORM) if (wanted := renewed(folder)) != _text(folder)
    }
    for page, wanted in stale.items():
        if write:
            page.write_text(wanted)
        else:
            print(f"{page.relative_to(TERRAFORM.parent)} is out of date: run `make readmes`")
    return int(bool(stale) and not write)


def renewed(folder: Path) -> str:
    """The up-to-date text of the README."""
    by_hand = _text(folder).partition(_LINE)[0].rstrip() or f"# {folder.name}"
    return "\n".join([by_hand, "", _LINE, "", *_variables(variables(folder)), "", *_outputs(outputs(folder)), ""])


def _variables(declarations: Iterable[Declaration]) -> Iterator[str]:
    yield from ["## Variables", "", "| name | type | default | |", "| --- | --- | --- | --- |"]
    for each in declarations:
        default = "" if each.default is None else _code(each.default)
        yield f"| `{each.name}` | `{each.type}` | {default} | {_cell(each.description)} |"


def _outputs(declarations: Iterable[Declaration]) -> Iterator[str]:
    yield from ["## Outputs", "", "| name | |", "| --- | --- |"]
    yield from (f"| `{each.name}` | {_cell(each.description)} |" for each in declarations)


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def _text(folder: Path) -> str:
    page = folder / "README.md"
    return page.read_text() if page.exists() else ""


if __name__ == "__main__":
    sys.exit(main(write="--write" in sys.argv[1:]))
