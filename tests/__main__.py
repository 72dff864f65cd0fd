"""`python -m tests [TARGET]`: the whole test-suite on every target that this machine can run, or on one alone.

On each target twice: on resources that the kit makes, and on those of production's Terraform, whose provider waits for
most of its time; so the two go side by side. What cannot be run is named with what is missing for it. In CI nothing may
be missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from sim.cli.doctor import Finding, examine, missing
from sim.targets import LOCAL
from sim.targets.target import Provision

_WORKERS = os.environ.get("WORKERS", "2")
_APPLY_SECONDS = 600
"""What a test may take whose target's resources Terraform makes first."""


@dataclass(frozen=True)
class Run:
    """The tests on a target, and who makes its resources."""

    target: str
    provision: Provision

    @property
    def needs(self) -> tuple[str, ...]:
        """What it needs of the machine, as the doctor has it."""
        return (self.target,) if self.provision is Provision.KIT else (self.target, self.provision)

    def command(self, *, alone: bool) -> list[str]:
        """The tests that need a target. With the first also those that need none, and those of Terraform's roots."""
        first = self.target == LOCAL[0]
        options = ["--target", self.target, "--provision", self.provision]
        if self.provision is Provision.TERRAFORM:
            tests = ["tests/e2e", "tests/terraform/test_roots.py"] if first else ["tests/e2e"]
            # One session, because every session makes its own resources.
            options += ["-n", "0", "--timeout", str(_APPLY_SECONDS)]
        else:
            tests = ["tests"] if first and not alone else ["tests/e2e"]
            options += ["-n", _WORKERS, "--dist", "loadfile"]
        return [sys.executable, "-m", "pytest", *options, *tests]


def main(wanted: str | None) -> int:
    """Runs the tests; the exit status: 0 if every one passed, and in CI or with a target wanted none was left out."""
    console = Console()
    if wanted is not None and wanted not in LOCAL:
        console.print(f"there is no target {wanted!r}; there are: {', '.join(LOCAL)}")
        return 2
    runs = [Run(target, provision) for provision in Provision for target in ([wanted] if wanted else LOCAL)]
    findings = examine()
    lacking = {run: [finding for need in run.needs for finding in missing(findings, need)] for run in runs}
    possible = [run for run in runs if not lacking[run]]
    if any(run.target == "docker" for run in possible):
        # Once, before tests side by side would do it at the same time.
        subprocess.run([sys.executable, "-m", "sim.images", "build"], check=True, stdout=subprocess.DEVNULL)
    with ThreadPoolExecutor(1) as beside:
        terraforms = [run for run in possible if run.provision is Provision.TERRAFORM]
        later = beside.submit(_run, terraforms, wanted, aside=True)
        results = _run([run for run in possible if run not in terraforms], wanted, aside=False) | later.result()
    for run, (_, said) in results.items():
        if said:
            console.rule(f"{run.target}, provisioned by {run.provision}")
            sys.stdout.write(said)
    console.print(_table(runs, results, lacking))
    insisted = runs if os.environ.get("CI") else [Run(wanted, Provision.KIT)] if wanted else []
    left_out = [run for run in insisted if lacking[run]]
    return 1 if left_out or any(status for status, _ in results.values()) else 0


def _run(runs: list[Run], wanted: str | None, *, aside: bool) -> dict[Run, tuple[int, str]]:
    """One after the other: the exit status of each, and what it said if that was kept `aside`."""
    results = {}
    for run in runs:
        done = subprocess.run(
            run.command(alone=wanted is not None),
            stdout=subprocess.PIPE if aside else None,
            stderr=subprocess.STDOUT if aside else None,
            text=True,
            check=False,
        )
        results[run] = (done.returncode, done.stdout or "")
    return results


def _table(runs: list[Run], results: dict[Run, tuple[int, str]], lacking: dict[Run, list[Finding]]) -> Table:
    columns = ("target", "provisioned by", "tests", "missing", "remedy")
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for run in runs:
        if run in results:
            passed = results[run][0] == 0
            table.add_row(run.target, run.provision, "passed" if passed else "[red]failed[/red]")
        for finding in lacking[run]:
            table.add_row(run.target, run.provision, "not run", f"{finding.what}: {finding.seen}", finding.remedy)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
