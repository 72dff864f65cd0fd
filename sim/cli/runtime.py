"""The option of what the tasks of a cluster are. Not among the other options, since importing it takes long."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.targets.target import TaskRuntime

Runtime = Annotated[
    TaskRuntime | None,
    typer.Option(help="What the tasks of a cluster are; containers if a Docker engine answers, else processes."),
]
