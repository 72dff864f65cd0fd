"""A copy of the checkout's services: what a version is where there is no Docker."""

from __future__ import annotations

import shutil
from pathlib import Path

from sim.cloud.registry.source_image import Source
from sim.images.checkout import ROOT
from sim.images.service import revision


def copied(service: str, version: str, folder: Path) -> Source:
    """Copies the services into a new folder below `folder`, as the source of this version of a service."""
    kept = folder / f"{service}-{version}"
    shutil.copytree(ROOT / "services", kept / "services", ignore=shutil.ignore_patterns("__pycache__"))
    commit = revision()
    return Source(service, version, commit.id if commit else "unknown", kept)
