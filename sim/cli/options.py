"""The options that several commands share, and their exit statuses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FAILED = 1
"""Something failed, or is not as it should be."""
NOTHING_RUNS = 3
HERE = Path(".sim")

Directory = Annotated[
    Path,
    typer.Option(
        "--dir",
        envvar="SIM_DIR",
        help="Where the stack's state is kept; one stack for each.",
        metavar="DIR",
        file_okay=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program, not a table.")]
