"""Roots that are initialised side by side share one copy of the provider, also while one of them is running it.

https://github.com/hashicorp/terraform/issues/32915
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.host.command import CommandFailed, run
from sim.terraform import installation

_CACHE_ALONE = "plugin_cache_may_break_dependency_lock_file = true\n"


@pytest.fixture
def configuration(terraform: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001
    """Terraform's, as the kit writes it where there is a registry; a packed mirror with a provider takes its place."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "nobody")
    written = Path(installation.environment(tmp_path, {})["TF_CLI_CONFIG_FILE"])
    platform = json.loads(run(["terraform", "version", "-json"], remedy=""))["platform"]
    folder = tmp_path / "mirror/registry.terraform.io/example/sleeper"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / f"terraform-provider-sleeper_1.0.0_{platform}.zip", "w") as package:
        program = zipfile.ZipInfo("terraform-provider-sleeper_v1.0.0")
        program.external_attr = 0o755 << 16
        package.writestr(program, Path(shutil.which("sleep") or "/bin/sleep").read_bytes())
    mirror = json.dumps(str(tmp_path / "mirror"))
    with written.open("a") as file:
        file.write(f"provider_installation {{\n  filesystem_mirror {{\n    path = {mirror}\n  }}\n}}\n")
    return written


@pytest.fixture
def running(configuration: Path, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Initialises a root, while another one is running the provider."""

    def initialise(root: str) -> str:
        folder = tmp_path / root
        folder.mkdir()
        required = '{ sleeper = { source = "example/sleeper" } }'
        (folder / "main.tf").write_text(f"terraform {{\n  required_providers {required}\n}}\n")
        environment = {"TF_CLI_CONFIG_FILE": str(configuration), "CHECKPOINT_DISABLE": "1"}
        return run(["terraform", f"-chdir={folder}", "init", "-no-color"], environment=environment, remedy="")

    initialise("first")
    [program] = (tmp_path / "plugins").rglob("terraform-provider-sleeper*")
    process = subprocess.Popen([program, "600"])
    try:
        yield initialise
    finally:
        process.kill()
        process.wait()


def test_a_root_is_initialised_while_another_runs_the_provider(running: Callable[[str], str]) -> None:
    assert "successfully initialized" in running("second")


def test_without_that_line_it_is_not(configuration: Path, running: Callable[[str], str]) -> None:
    configuration.write_text(configuration.read_text().replace(_CACHE_ALONE, ""))
    with pytest.raises(CommandFailed, match="text file busy"):
        running("second")
