"""The root file system of a Debian release with Python, from Debian's packages alone.

The tarball holds nothing of the machine that made it, and the same packages make the same bytes, so it may
be kept and carried from one machine to another of the same architecture.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.errors import SimError
from sim.host.command import run

SUITE = "bookworm"

_REMEDY = "The offline images are made by mmdebstrap, which Debian has: install it there as root."
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_EPOCH = "315532800"
"""1980-01-01, the time of every file: the earliest that ZIP, and so a Python wheel, can express."""

_MACHINES_OWN = ("hostname", "resolv.conf", "apt/sources.list")
"""Files under /etc that mmdebstrap takes from the machine. Docker puts the first two into every container."""

_RECIPE = (
    "--variant=essential",
    # What the official image has of Debian; usr-is-merged instead of usrmerge, which brings 45 MB of Perl along.
    "--include=python3,python3-venv,ca-certificates,libstdc++6,netbase,tzdata,usr-is-merged",
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--customize-hook=rm " + " ".join(f'"$1"/etc/{name}' for name in _MACHINES_OWN),
)

FINGERPRINT = hashlib.sha256("\n".join((SUITE, _EPOCH, *_RECIPE)).encode()).hexdigest()[:12]
"""Names what is made: another recipe is another tarball and another image."""


def default_cache(environ: Mapping[str, str]) -> Path:
    """Where tarballs are kept. https://specifications.freedesktop.org/basedir-spec/latest/"""
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sim" / "images"


def mirror(uris: str) -> str:
    """The mirror of SUITE that apt uses, from what `apt-get --print-uris update` says. Raises SimError if none."""
    found = re.search(rf"^'(\S+)/dists/{SUITE}/InRelease'", uris, re.MULTILINE)
    if found is None:
        raise SimError(
            f"apt on this machine has no source for Debian's {SUITE}, which the offline images are made from: "
            "add one, or name images that the engine has in BASE_IMAGE and LOCALSTACK_IMAGE"
        )
    return found[1]


def make(cache: Path) -> Path:
    """The tarball in `cache`, made now if it is not there. Raises SimError."""
    tarball = cache / f"rootfs-{SUITE}-{FINGERPRINT}.tar"
    if tarball.exists():
        return tarball
    cache.mkdir(parents=True, exist_ok=True)
    _install_mmdebstrap()
    source = mirror(run(["apt-get", "--print-uris", "update"], remedy=_REMEDY))
    with TemporaryDirectory(dir=cache) as directory:
        unfinished = Path(directory) / tarball.name
        run(
            ["mmdebstrap", "--format=tar", f"--keyring={_KEYRING}", *_RECIPE, SUITE, str(unfinished), source],
            environment={"SOURCE_DATE_EPOCH": _EPOCH},
            remedy=f"Does `apt-get update` work here? The packages come from the same place, {source}.",
        )
        return unfinished.rename(tarball)


def _install_mmdebstrap() -> None:
    if shutil.which("mmdebstrap"):
        return
    run(["apt-get", "update"], remedy=_REMEDY)
    run(
        ["apt-get", "install", "--yes", "--no-install-recommends", "mmdebstrap"],
        environment={"DEBIAN_FRONTEND": "noninteractive"},
        remedy=_REMEDY,
    )
