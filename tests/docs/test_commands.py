"""The commands that the README shows do what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def commands(page: str) -> list[str]:
    """The lines after a `$` in a page's console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_ci_runs_every_make_command_of_the_readme() -> None:
    made = {command for command in commands("README.md") if command.startswith("make ")}
    ci = set((ROOT / ".ci/run").read_text().splitlines())
    assert {"make demo", "make test"} <= made <= ci


def test_the_commands_of_the_kit_in_the_readme_work_in_their_order(tmp_path: Path) -> None:
    environment = {**os.environ, "SIM_DIR": str(tmp_path)}
    shown = [command for command in commands("README.md") if not command.startswith(("make ", "docker "))]
    assert shown[-1] == ".venv/bin/sim down"
    try:
        for command in shown:
            done = subprocess.run(
                shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    finally:
        subprocess.run([".venv/bin/sim", "down"], cwd=ROOT, env=environment, capture_output=True, check=False)


def test_the_commands_of_the_world_work() -> None:
    for command in commands("docs/world.md"):
        done = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_every_link_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text())
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []
