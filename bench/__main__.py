"""`python -m bench`: compares the services with a plain implementation, on the same machine in one run.

The load balancer is compared with HAProxy, and what runs in virtual time has goals of its own.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import psutil
import typer

from bench import cluster, edge, measure, simulation
from bench.measure import QUICK, Schedule
from bench.report import rows
from sim.cli.options import Json
from sim.cli.output import Report
from sim.errors import SimError


def main(
    quick: Annotated[
        bool, typer.Option("--quick", help="One short round instead of three, without simulations.")
    ] = False,
    clusters: Annotated[
        bool, typer.Option("--cluster", help="Also how soon a cluster answers; needs Terraform and Docker.")
    ] = False,
    delay_ms: Annotated[float, typer.Option(help="The duration of each AWS call, in milliseconds.")] = 20,
    json: Json = False,
) -> None:
    """Compare the services with a plain implementation. A missed goal is reported, but is no error."""
    report = Report(json)
    busy = psutil.cpu_percent(interval=1)
    report.hint(f"{os.cpu_count()} cores, of which others use {busy:g} per cent; AWS calls of {delay_ms:g} ms")
    try:
        with report.progress("starting") as progress:
            schedule = QUICK if quick else Schedule()
            figures = measure.measure(schedule, delay_ms=delay_ms, progress=progress)
            beside = edge.measure(schedule, delay_ms=delay_ms, progress=progress)
            simulated = [] if quick else simulation.measure(progress)
            simulated += cluster.measure(progress) if clusters else []
    except SimError as error:
        sys.exit(f"bench: {error}")
    more = [*(each.row() for each in beside), *(each.row() for each in simulated)]
    table = [*rows(figures["plain"], figures["product"], delay_ms), *more]
    report.table(["figure", "plain", "product", "ratio", "goal"], table)


if __name__ == "__main__":
    typer.run(main)
