"""`sim`: the pipeline on this machine, from the command line.

Exit status: 0, success; 1, something failed or a check did not pass; 2, the command line is wrong; 3, no stack is
running.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from release.errors import ReleaseError
from sim.cli.options import FAILED, NOTHING_RUNS
from sim.cli.output import escape_what_the_terminal_lacks
from sim.errors import SimError

_MODULES: Final = {
    "up": "stack",
    "down": "stack",
    "apply": "terraform",
    "destroy": "terraform",
    "register": "register",
    "status": "stack",
    "watch": "watch",
    "publish": "stack",
    "objects": "stack",
    "logs": "stack",
    "demo": "demo",
    "check": "chaos",
    "doctor": "doctor",
    "world": "world",
    "chaos": "chaos",
    "rehearse": "rehearse",
    "cluster": "cluster",
    "iam": "iam",
    "deploy": "cluster",
    "scale": "cluster",
    "lose": "cluster",
    "drain": "cluster",
    "restore": "cluster",
}
"""The module of `sim.cli` that defines each command. It is imported on use, since most take long to import."""


class _Commands(TyperGroup):
    """The commands by name. Each is loaded when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All command names, in the order of the help."""
        del ctx
        return list(_MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """The command of this name; None if there is no such command."""
        del ctx
        return _loaded(cmd_name) if cmd_name in _MODULES else None


app = typer.Typer(
    name="sim",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(help="The e-mail pipeline on this machine: no AWS account, no token, no network.")
def _sim() -> None:
    """Makes `app` a group. `_Commands` has its commands."""


def _loaded(name: str) -> TyperCommand | TyperGroup:
    found = getattr(import_module(f"sim.cli.{_MODULES[name]}"), name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found)
    if not isinstance(command, TyperCommand | TyperGroup):
        raise TypeError(f"sim {name} is no command of Typer")
    command.name = name
    return command


def main() -> None:
    """The console script."""
    escape_what_the_terminal_lacks()
    try:
        app()
    except ReleaseError as error:
        sys.exit(_print_error(error, FAILED))
    except SimError as error:
        sys.exit(_print_error(error, _status(error)))
    except Exception as error:
        from services.pipeline.aws import AWS_ERRORS  # noqa: PLC0415 - slow to import, and needed only after a failure

        if not isinstance(error, AWS_ERRORS):
            raise
        sys.exit(_print_error(error, FAILED))


def _status(error: SimError) -> int:
    from sim.stack.lifecycle import NothingRuns  # noqa: PLC0415 - as above

    return NOTHING_RUNS if isinstance(error, NothingRuns) else FAILED


def _print_error(error: Exception, status: int) -> int:
    print(f"sim: {error}", file=sys.stderr)
    return status
