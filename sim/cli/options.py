"""The options that several commands share, and their exit statuses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cluster.aws_clock import LARGEST

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
Variables = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="A variable of all roots that have it.")
]
VarFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--var-file", help="A file of variables for the roots of another project.", exists=True, dir_okay=False
    ),
]
TimeScale = Annotated[
    float,
    typer.Option(min=1, max=LARGEST, help="How many times as fast AWS's clock runs: docs/cluster.md.", metavar="K"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program, not a table.")]
