"""`python -m tests`: the quick tests, which need Python alone. `python -m tests rest`: all others, on every target that
this machine can run. `python -m tests TARGET`: the end-to-end tests on one target.

The tests that Terraform can change (marker `resources`) run again on what production's Terraform makes. Runs that wait
for most of their time go side by side. What cannot be run is named with what is missing for it. In CI nothing may be
missing. In the end each test that failed is named with its reason.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

from sim.cli.doctor import Finding, examine, missing
from sim.targets import LOCAL
from sim.targets.target import Provision, TaskRuntime

_WORKERS = os.environ.get("WORKERS", "2")
_APPLY_SECONDS = 1200
"""What a test may take whose target's resources Terraform makes first."""
_SLOWEST = 15
"""So many tests are named with their seconds."""
_REASON_CHARACTERS = 700
"""So much is shown of a reason's begin, and as much of its end."""
_SIDE_BY_SIDE = ("-n", _WORKERS, "--dist", "loadfile")
_ONE_MORE = ("-n", str(int(_WORKERS) + 1), "--dist", "loadfile")
"""For tests that wait for Terraform and for containers half of their time."""
_ALONE = ("tests/unit", "tests/property")
_BESIDE_IAM_SIMULATE = "tests/iam"
_END_TO_END = "tests/e2e"
_DEPLOYMENTS = "tests/e2e/test_deployments.py"
_INSTANCES = "tests/e2e/test_instances.py"
_PERMISSIONS = "tests/e2e/test_permissions.py"
_CHAOS = (
    "tests/e2e/test_chaos.py::test_a_version_rolls_out_while_instances_end_and_a_zone_is_cut_off",
    "tests/e2e/test_chaos.py::test_an_instance_ends_another_one_drains_and_a_zone_is_cut_off",
)
"""Those that need no cluster of their own."""
_REHEARSAL = "tests/e2e/test_rehearsal.py"
_REHEARSED = "tests/e2e/test_rehearse_deploy.py"
_SCALING = "tests/e2e/test_scaling.py"
"""Before others on its cluster, which is set for it."""
_LIVE_PAGE = "tests/e2e/test_watch.py"
_CONTAINERS = "tests/e2e/test_cluster_containers.py"
_SCALED = ("--time-scale", "15")
"""What AWS waits for in minutes comes sooner."""
_SCALED_CONTAINERS = ("--time-scale", "10")
"""A container takes longer to start, and its checks start a process each."""


@dataclass(frozen=True)
class Run:
    """One run of pytest. `needs` are what it needs of the machine, by the doctor's names."""

    name: str
    needs: tuple[str, ...]
    arguments: tuple[str, ...]

    def report(self, directory: Path) -> Path:
        """The file of its JUnit report."""
        return directory / f"{self.name}.xml"

    def command(self, directory: Path) -> list[str]:
        """The command line."""
        report = f"--junitxml={self.report(directory)}"
        return [sys.executable, "-m", "pytest", "--durations", str(_SLOWEST), report, *self.arguments]


@dataclass(frozen=True)
class Ended:
    """A run that has ended: its exit status, its seconds, and what it printed unless it was shown at once."""

    run: Run
    status: int
    seconds: float
    output: str


Stage = Sequence[Sequence[Run]]
"""Rows of runs that go side by side. Those of a row go one after the other."""


def quick() -> list[Stage]:
    """Unit tests, laws, and beside them the end-to-end tests on processes, which wait for most of their time."""
    unit = Run("unit tests and laws", (LOCAL[0],), (*_SIDE_BY_SIDE, *_ALONE))
    return [[[unit], [Run(f"e2e on {LOCAL[0]}", (LOCAL[0],), (_END_TO_END,))]]]


def on(target: str) -> Run:
    """The end-to-end tests on one target."""
    if target == "cluster":
        return _on_cluster(None, _END_TO_END)
    return Run(f"e2e on {target}", (target,), (*_SIDE_BY_SIDE, "--target", target, "tests/e2e"))


def rest() -> list[Stage]:
    """All that is not quick. The first run's tests say by themselves what they need."""
    others = (
        *_ONE_MORE,
        *(f"--ignore={folder}" for folder in (*_ALONE, _BESIDE_IAM_SIMULATE, _END_TO_END)),
        "tests",
    )
    busy = [
        Run("the rooms", (LOCAL[0],), others),
        Run("permissions beside iam-simulate", ("npm",), (_BESIDE_IAM_SIMULATE,)),
    ]
    rolls_out = f"{_DEPLOYMENTS}::test_a_version_rolls_out_and_no_request_fails"
    deployments = [_on_cluster(TaskRuntime.PROCESS, _LIVE_PAGE, _PERMISSIONS, _DEPLOYMENTS)]
    instances = [_on_cluster(TaskRuntime.PROCESS, _INSTANCES, *_CHAOS, _REHEARSAL, what="instances")]
    scaled = [
        _on_cluster(TaskRuntime.PROCESS, *_SCALED, _SCALING, _REHEARSED, what="scaled"),
        _on_cluster(TaskRuntime.DOCKER, *_SCALED_CONTAINERS, rolls_out, _CONTAINERS, what="scaled"),
    ]
    without_cluster = [on("docker"), *(_on_terraform(target) for target in ("process", "docker"))]
    return [[busy], [deployments, instances, scaled, without_cluster]]


def _on_cluster(runtime: TaskRuntime | None, *tests: str, what: str = "") -> Run:
    """One session, because every session makes its own resources. Without a runtime the machine decides."""
    needs = (LOCAL[0], "terraform", *(["docker"] if runtime is TaskRuntime.DOCKER else []))
    chosen = ("--runtime", runtime) if runtime else ()
    options = ("--target", "cluster", *chosen, "--timeout", str(_APPLY_SECONDS))
    name = " ".join(filter(None, ("e2e on cluster", runtime, what)))
    return Run(name, needs, (*options, *tests))


def _on_terraform(target: str) -> Run:
    roots = ["tests/terraform/test_roots.py"] if target == LOCAL[0] else []
    # One session, because every session makes its own resources.
    options = ("--target", target, "--provision", Provision.TERRAFORM, "--timeout", str(_APPLY_SECONDS))
    return Run(
        f"{target}, on Terraform's resources",
        (target, "terraform"),
        (*options, "-m", "resources", _END_TO_END, *roots),
    )


def main(wanted: str | None) -> int:
    """Runs the tests; the exit status: 0 if every one passed, and in CI or with a target wanted none was left out."""
    console = Console()
    if wanted not in {None, "rest", *LOCAL}:
        console.print(f"there is no target {wanted!r}; there are: {', '.join(LOCAL)}")
        return 2
    stages = quick() if wanted is None else rest() if wanted == "rest" else [[[on(wanted)]]]
    runs = [run for stage in stages for row in stage for run in row]
    findings = examine()
    lacking = {run: [finding for need in run.needs for finding in missing(findings, need)] for run in runs}
    dockers = [run for run in runs if "docker" in run.needs and not lacking[run]]
    if dockers and not _build_images():
        seen = Finding("images", good=False, seen="see above", remedy="docs/images.md", needed_for=("docker",))
        lacking |= {run: [seen] for run in dockers}
    possible = [[[run for run in row if not lacking[run]] for row in stage] for stage in stages]
    with TemporaryDirectory() as made:
        reports = Path(made)
        ended = {each.run: each for stage in possible for each in _run_stage(console, stage, reports)}
        console.print(_table(ended, lacking))
        failures = [f"{run.name}: {each}" for run, end in ended.items() if end.status for each in _why(run, reports)]
    sys.stdout.writelines(f"\n{each}\n" for each in failures)
    left_out = [run for run in runs if lacking[run] and (os.environ.get("CI") or wanted in LOCAL)]
    return 1 if left_out or any(each.status for each in ended.values()) else 0


def _build_images() -> bool:
    """Once, before tests side by side would do it at the same time."""
    command = [sys.executable, "-m", "sim.images", "build"]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0


def _run_stage(console: Console, stage: Stage, reports: Path) -> Iterator[Ended]:
    """Ends each run. The first row prints as it goes. What the others print comes after it."""
    shown, *others = stage
    with ThreadPoolExecutor(max(1, len(others))) as threads:
        later = [
            threads.submit(lambda row: [_end(run, reports, stdout=subprocess.PIPE) for run in row], row)
            for row in others
        ]
        for run in shown:
            console.rule(run.name)
            yield _end(run, reports)
        for row in later:
            for each in row.result():
                console.rule(each.run.name)
                sys.stdout.write(each.output)
                yield each


def _end(run: Run, reports: Path, stdout: int | None = None) -> Ended:
    begun = time.monotonic()
    done = subprocess.run(
        run.command(reports), stdout=stdout, stderr=stdout and subprocess.STDOUT, text=True, check=False
    )
    return Ended(run, done.returncode, time.monotonic() - begun, done.stdout or "")


def _why(run: Run, reports: Path) -> Iterator[str]:
    """Each test of a run that failed, with its reason."""
    if not run.report(reports).exists():
        yield "pytest ended before it could report"
        return
    for case in ET.parse(run.report(reports)).iter("testcase"):
        for reason in (*case.iter("failure"), *case.iter("error")):
            yield f"{case.get('classname')}::{case.get('name')}: {_shortened(reason.get('message', ''))}"


def _shortened(reason: str) -> str:
    """A long reason's begin and end. The output of a command that failed has its own reason there."""
    if len(reason) <= 2 * _REASON_CHARACTERS:
        return reason
    return f"{reason[:_REASON_CHARACTERS]}\n[...]\n{reason[-_REASON_CHARACTERS:]}"


def _table(ended: Mapping[Run, Ended], lacking: Mapping[Run, Sequence[Finding]]) -> Table:
    columns = ("tests", "result", "seconds", "missing", "remedy")
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for run, findings in lacking.items():
        if run in ended:
            result = "[red]failed[/red]" if ended[run].status else "passed"
            table.add_row(run.name, result, f"{ended[run].seconds:.0f}")
        for finding in findings:
            table.add_row(run.name, "not run", "", f"{finding.what}: {finding.seen}", finding.remedy)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
