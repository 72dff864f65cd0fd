"""`sim`: the pipeline on this machine, from the command line.

Exit status: 0 all is well; 1 something failed, or is not as it should be; 2 the command was not
understood; 3 nothing is running.
"""

from __future__ import annotations

import sys

import typer

from services.pipeline.aws import AWS_ERRORS
from sim.cli import chaos, demo, doctor, stack, terraform, world
from sim.cli.options import FAILED, NOTHING_RUNS
from sim.errors import SimError
from sim.stack.lifecycle import NothingRuns

app = typer.Typer(
    name="sim",
    help="The e-mail pipeline on this machine: no AWS account, no token, no network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    *(stack.up, stack.down, terraform.apply, terraform.destroy, stack.status, stack.publish, stack.objects, stack.logs),
    *(demo.demo, chaos.check, doctor.doctor),
):
    app.command()(command)
app.add_typer(world.world, name="world")
app.add_typer(chaos.chaos, name="chaos")


def main() -> None:
    """The console script."""
    try:
        app()
    except NothingRuns as error:
        sys.exit(_print_error(error, NOTHING_RUNS))
    except (SimError, *AWS_ERRORS) as error:
        sys.exit(_print_error(error, FAILED))


def _print_error(error: Exception, status: int) -> int:
    print(f"sim: {error}", file=sys.stderr)
    return status
