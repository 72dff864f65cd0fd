"""The commands that the pages show do what they say, or name what is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from release.cli import parser
from release.roots import NEEDS

ROOT = Path(__file__).resolve().parents[2]


PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
RUN_IN_ORDER = ("README.md", "docs/faults.md", "docs/rehearse.md", "docs/terraform.md", "docs/try.md", "docs/world.md")
"""Their commands of the kit are run here, those of docker in `tests/compose`."""
RUN_ELSEWHERE = {"docs/compose.md": "tests/compose", "docs/images.md": "tests/images"}


def commands(page: str, *, marked: str = "", section: str | None = None) -> list[str]:
    """The lines after a `$` in the console blocks of a page, or of one section of it. Those marked ` aws` take an AWS
    account, those marked ` cluster` are run in `tests/stack`."""
    text = (ROOT / page).read_text()
    if section is not None:
        [text] = [part for part in text.split("\n## ") if part.startswith(f"{section}\n")]
    blocks = re.findall(rf"```console{marked}\n(.*?)```", text, flags=re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_every_command_is_run_by_a_test_or_marked_as_needing_aws() -> None:
    shown = {page: commands(page) for page in PAGES}
    assert {page for page, found in shown.items() if found} <= {*RUN_IN_ORDER, *RUN_ELSEWHERE}
    for page, folder in RUN_ELSEWHERE.items():
        assert any((ROOT / folder).glob("test_*.py")), page


@pytest.mark.parametrize("page", ["README.md", "docs/try.md"])
def test_ci_runs_every_make_command_of_a_page(page: str) -> None:
    made = {command for command in commands(page) if command.startswith("make ")}
    ci = set((ROOT / ".ci/run").read_text().splitlines())
    assert made
    assert made <= ci


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", RUN_IN_ORDER)
def test_the_commands_of_the_kit_work_in_their_order(page: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if page == "docs/terraform.md":
        request.getfixturevalue("terraform")
    environment = {**os.environ, "SIM_DIR": str(tmp_path)}
    shown = [command for command in commands(page) if not command.startswith(("make ", "docker "))]
    assert shown
    assert shown[0].startswith(".venv/bin/sim up") == (shown[-1] == ".venv/bin/sim down")
    try:
        for command in shown:
            done = subprocess.run(
                shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    finally:
        subprocess.run([".venv/bin/sim", "down"], cwd=ROOT, env=environment, capture_output=True, check=False)


AWS = [(page, command) for page in PAGES for command in commands(page, marked=" aws")]


def test_pages_show_commands_for_aws() -> None:
    assert len(AWS) > 20


@pytest.mark.parametrize(("page", "command"), AWS)
def test_what_needs_aws_names_things_that_are_there(page: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be run here. Its folders, files, targets and options are there all the same."""
    monkeypatch.setenv("RELEASE_ENVIRONMENT", "production")
    monkeypatch.setenv("RELEASE_STATE_BUCKET", "states")
    for environment, root in re.findall(r"environments/run (\S+) (\S+)", command):
        assert (ROOT / "environments" / environment / f"{root}.tfvars").exists(), f"{page}: {root} of {environment}"
    for root, output in re.findall(r"environments/run \S+ (\S+) output -raw (\w+)", command):
        assert f'output "{output}"' in (ROOT / "terraform" / root / "outputs.tf").read_text(), f"{page}: {output}"
    for root, variable in re.findall(r"environments/run \S+ (\S+) .*?-var=(\w+)", command):
        assert f'variable "{variable}"' in (ROOT / "terraform" / root / "variables.tf").read_text(), (
            f"{page}: {variable}"
        )
    for file in re.findall(r"(?:sim/mail|tests)/[\w/.-]+", command):
        assert (ROOT / file).exists(), f"{page}: {file}"
    words = shlex.split(command)
    if "release" in words:
        assert parser().parse_args(words[words.index("release") + 1 :])


def test_roots_are_applied_after_those_that_they_need_and_destroyed_before() -> None:
    shown = " ".join(commands("docs/deploy.md", marked=" aws"))
    applied = re.findall(r"environments/run staging (\S+) apply", shown)
    destroyed = re.findall(r"environments/run staging (\S+) destroy", shown)
    assert set(applied) == set(NEEDS) - {"account"}
    assert all(
        applied.index(need) < applied.index(root) for root in applied for need in set(NEEDS[root]) & set(applied)
    )
    assert all(
        destroyed.index(root) < destroyed.index(need) for root in destroyed for need in set(NEEDS[root]) & set(applied)
    )
    assert set(destroyed) == set(applied)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text())
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []
