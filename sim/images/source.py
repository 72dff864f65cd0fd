"""A copy of the checkout's services: what a version is where there is no Docker."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from release.errors import VersionTaken
from sim.cloud.registry.source_image import Source
from sim.errors import SimError
from sim.images.checkout import ROOT
from sim.images.service import revision

_LEFT_OUT = "__pycache__"


class OtherPackages(SimError):
    """A version needs other packages than this checkout has."""


def copied(service: str, version: str, folder: Path, checkout: Path = ROOT, commit: str = "") -> Source:
    """Copies the services into a new folder below `folder`, as the source of this version of a service.

    `commit` is the id of the one that `checkout` is of, by default the one that is checked out. To do it again changes
    nothing. Raises VersionTaken if that version was copied and the checkout is another now.
    """
    kept, services = folder / f"{service}-{version}", checkout / "services"
    if not kept.exists():
        # A copy that is interrupted is no version.
        partial = kept.with_name(f"{kept.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(services, partial / "services", ignore=shutil.ignore_patterns(_LEFT_OUT))
        partial.rename(kept)
    elif _contents(kept / "services") != _contents(services):
        raise VersionTaken(
            f"{service} {version} was registered before services/ changed: "
            "`python -m release bump` makes the next version, `sim deploy` one for this machine"
        )
    found = revision(commit)
    return Source(service, version, found.id if found else "unknown", kept)


def check_packages(source: Source, checkout: Path = ROOT) -> None:
    """Raises OtherPackages unless the source locks the packages that this checkout has installed."""
    lock = Path("services", source.service, "requirements.txt")
    if (source.folder / lock).read_bytes() != (checkout / lock).read_bytes():
        raise OtherPackages(
            f"{source.service} {source.version} cannot run as a process: {lock} of {source.revision} is another than "
            "that of this checkout, whose packages processes use: `sim up --target cluster --runtime docker` takes it"
        )


def _contents(folder: Path) -> Mapping[Path, bytes]:
    """Each file below a folder, by its path there."""
    files = (each for each in folder.rglob("*") if each.is_file() and _LEFT_OUT not in each.parts)
    return {each.relative_to(folder): each.read_bytes() for each in files}
