"""The options that several commands share, and their exit statuses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FAILED = 1
"""Exit status: something failed, or a check did not pass."""
NOTHING_RUNS = 3
HERE = Path(".sim")

Directory = Annotated[
    Path,
    typer.Option(
        "--dir",
        envvar="SIM_DIR",
        help="The directory of the stack's state. Each directory has its own stack.",
        metavar="DIR",
        file_okay=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program, not a table.")]
