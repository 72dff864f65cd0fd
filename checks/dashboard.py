"""`python -m checks.dashboard`: draws a picture of production's dashboard from the dashboard's JSON.

The picture is for readers without an AWS account. With `--write` it updates the picture; without, it checks it.
"""

from __future__ import annotations

import json
import string
import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[1]
DASHBOARD: Final = _ROOT / "terraform/monitoring/dashboard.json.tftpl"
PICTURE: Final = _ROOT / "docs/dashboard.svg"

_COLUMN, _ROW, _GAP = 40, 30, 6
_COLUMNS: Final = 24
_LINE: Final = 18
_COLOURS: Final = ("#1f77b4", "#d62728", "#2ca02c", "#ff7f0e")


def main(*, write: bool) -> int:
    """Returns the exit status: 1 if the picture is out of date and `write` is false."""
    wanted = picture(body(DASHBOARD.read_text()))
    if PICTURE.exists() and PICTURE.read_text() == wanted:
        return 0
    if write:
        PICTURE.write_text(wanted)
        return 0
    print(f"{PICTURE.relative_to(_ROOT)} is out of date: run `make readmes`")
    return 1


def body(template: str) -> Mapping[str, Any]:
    """The dashboard with each variable replaced by its own name."""
    found = string.Template(template)
    filled: Mapping[str, Any] = json.loads(found.substitute({name: name for name in found.get_identifiers()}))
    return filled


def picture(dashboard: Mapping[str, Any]) -> str:
    """An SVG of the widgets at their places in CloudWatch, each with its title and metrics."""
    widgets = dashboard["widgets"]
    width = _COLUMNS * _COLUMN
    height = max(each["y"] + each["height"] for each in widgets) * _ROW
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        '  font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#f4f5f6"/>',
        *(line for each in widgets for line in _widget(each)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _widget(widget: Mapping[str, Any]) -> Iterator[str]:
    left, top = widget["x"] * _COLUMN + _GAP, widget["y"] * _ROW + _GAP
    if widget["type"] == "text":
        heading = widget["properties"]["markdown"].lstrip("# ")
        yield f'<text x="{left}" y="{top + _LINE}" font-size="15" font-weight="bold">{escape(heading)}</text>'
        return
    width, height = widget["width"] * _COLUMN - 2 * _GAP, widget["height"] * _ROW - 2 * _GAP
    yield f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="4" fill="#fff" stroke="#c9ced3"/>'
    yield f'<text x="{left + 10}" y="{top + 20}" font-weight="bold">{escape(widget["properties"]["title"])}</text>'
    metrics = widget["properties"]["metrics"]
    axis = top + height - 12 - _LINE * len(metrics)
    yield f'<path d="M{left + 12} {top + 32}V{axis}H{left + width - 12}" fill="none" stroke="#9aa3ab"/>'
    for index, metric in enumerate(metrics):
        yield from _metric(metric, _COLOURS[index % len(_COLOURS)], left + 12, axis + _LINE * (index + 1))


def _metric(metric: list[Any], colour: str, left: int, line: int) -> Iterator[str]:
    """One line of the legend. A metric in the JSON is namespace, name and dimensions, then its display options."""
    drawn = metric[-1]
    yield f'<rect x="{left}" y="{line - 9}" width="10" height="10" fill="{colour}"/>'
    words = f"{drawn['label']} ({metric[1]}, {drawn['stat']})"
    yield f'<text x="{left + 16}" y="{line}" font-size="11">{escape(words)}</text>'


if __name__ == "__main__":
    sys.exit(main(write="--write" in sys.argv[1:]))
