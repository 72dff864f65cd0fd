"""The scenarios that come with the kit, and those of the caller's own files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sim.rehearsal.scenario import BadScenario, DeploymentScenario, read

NAMES: Final = (
    "good",
    "never-healthy",
    "crashes-later",
    "lying-check",
    "slow-start",
    "lost-instance",
    "lost-zone",
    "drained-instance",
    "scaled-in",
    "taken-port",
)
"""In the order in which `--all` runs them."""
_FOLDER: Final = Path(__file__).parent / "scenarios"


def text_of(name: str) -> str:
    """The file of a scenario of the kit. Raises BadScenario."""
    if name not in NAMES:
        raise BadScenario(f"there is no scenario {name}: name a file, or one of {', '.join(NAMES)}")
    return (_FOLDER / f"{name}.toml").read_text()


def scenario_of(given: str) -> tuple[str, DeploymentScenario]:
    """The name of a scenario, which for a file is the file's stem, and the scenario. Raises BadScenario."""
    file = Path(given)
    if given not in NAMES and file.is_file():
        return file.stem, read(given, file.read_text(errors="replace"))
    return given, read(f"{given}.toml", text_of(given))
