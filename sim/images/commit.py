"""The services as a commit has them, so that a version can be made of it."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.host.command import run
from sim.images.checkout import ROOT

_REMEDY: Final = "`git log -- services` shows the commits of which a version can be made."


@dataclass(frozen=True)
class ExportedCommit:
    """A commit's full id, and a folder that has its `services`."""

    id: str
    folder: Path


@contextmanager
def exported(name: str, checkout: Path = ROOT) -> Iterator[ExportedCommit]:
    """The services of a commit, by any name that git knows it by, inside the block. Raises CommandFailed."""
    git = ("git", "-C", str(checkout))
    commit = run([*git, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}"], remedy=_REMEDY).strip()
    with tempfile.TemporaryDirectory(prefix="commit-") as directory:
        archive, folder = Path(directory, "services.tar"), Path(directory, "checkout")
        run([*git, "archive", "--output", str(archive), commit, "--", "services"], remedy=_REMEDY)
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        yield ExportedCommit(commit, folder)
