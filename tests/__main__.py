"""`python -m tests [TARGET]`: the whole test-suite on every target that this machine can run, or on one alone.

A target that cannot be run is named with what is missing for it. In CI nothing may be missing.
"""

from __future__ import annotations

import os
import subprocess
import sys

from rich.console import Console
from rich.table import Table

from sim.doctor import Finding, examine, missing
from sim.targets import LOCAL

_WORKERS = os.environ.get("WORKERS", "2")


def main(wanted: str | None) -> int:
    """Runs the tests; the exit status: 0 if every one passed, and in CI or with a target wanted none was left out."""
    console = Console()
    findings = examine()
    lacking = {target: missing(findings, target) for target in LOCAL}
    if wanted is not None and wanted not in lacking:
        console.print(f"there is no target {wanted!r}; there are: {', '.join(LOCAL)}")
        return 2
    insisted = LOCAL if os.environ.get("CI") else (wanted,) if wanted else ()
    chosen = [wanted] if wanted else list(LOCAL)
    if "docker" in chosen and not lacking["docker"]:
        # Once, before test workers side by side would do it at the same time.
        subprocess.run([sys.executable, "-m", "sim.images", "build"], check=True, stdout=subprocess.DEVNULL)
    results = {target: _run(target, alone=wanted is not None) for target in chosen if not lacking[target]}
    console.print(_table(chosen, results, lacking))
    left_out = [target for target in chosen if lacking[target] and target in insisted]
    return 1 if left_out or any(results.values()) else 0


def _run(target: str, *, alone: bool) -> int:
    """The tests that need a target on this one; with the first also those that need none."""
    tests = ["tests/e2e"] if alone or target != LOCAL[0] else ["tests"]
    command = [sys.executable, "-m", "pytest", "-n", _WORKERS, "--dist", "loadfile", "--target", target, *tests]
    return subprocess.run(command, check=False).returncode


def _table(chosen: list[str], results: dict[str, int], lacking: dict[str, list[Finding]]) -> Table:
    table = Table("target", "tests", "missing", "remedy", box=None, pad_edge=False, header_style="bold")
    for target in chosen:
        if target in results:
            table.add_row(target, "passed" if results[target] == 0 else "[red]failed[/red]")
        for finding in lacking[target]:
            table.add_row(target, "not run", f"{finding.what}: {finding.seen}", finding.remedy)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
