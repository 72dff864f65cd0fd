"""LocalStack's virtual environment, created once from its lock, inside the virtual environment of the kit.

It also holds a cache of what LocalStack computes at its first start, since LocalStack gets a new directory at each run,
and a folder in which LocalStack finds the control plane as a plugin.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from sim.cloud.localstack import settings
from sim.errors import SimError
from sim.host.command import run
from sim.host.package_index import from_pip

_KIT = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("requirements.txt")
_ROOMS = ("aws", "cloud/control_plane", "cluster", "errors.py")
"""What of the kit LocalStack's Python finds: the plugin, and the pure rooms that it imports."""
PLUGIN_METADATA = Path(__file__).with_name("control_plane.dist-info")
"""Package metadata by which LocalStack finds the plugin, as a package installer would write it."""

# Below FILESYSTEM_ROOT: the index of AWS's services, which takes seconds to compute, and the list of plugins.
_CACHES = (Path("usr/lib/localstack"), Path("cache"))
# The Pythons that the packages in the lock run on.
_FIRST_PYTHON, _LAST_PYTHON = (3, 11), (3, 13)
PYTHON_REMEDY: Final = "install Python 3.11, 3.12 or 3.13, then `make clean` and `make PYTHON=python3.11 setup`"
_REMEDY = "LocalStack's packages come from the Python package index: check that it can be reached."


class WrongPython(SimError):
    """This Python does not run LocalStack."""


class EnvironmentNotMade(SimError):
    """The folder for LocalStack's virtual environment cannot be written."""


def runs_on(version: tuple[int, int]) -> bool:
    """True if LocalStack runs on this version of Python."""
    return _FIRST_PYTHON <= version <= _LAST_PYTHON


def path() -> Path:
    """The folder of the virtual environment for the current lock, which may not exist yet."""
    entry_points = PLUGIN_METADATA / "entry_points.txt"
    contents = (LOCK.read_bytes(), entry_points.read_bytes(), sys.version.encode(), *map(str.encode, _ROOMS))
    return Path(sys.prefix) / f"localstack-{hashlib.sha256(b''.join(contents)).hexdigest()[:12]}"


def is_made() -> bool:
    """True if the virtual environment exists."""
    return path().is_dir()


def plugins() -> Path:
    """The folder with the plugin, which must be on LocalStack's Python path."""
    return path() / "plugins"


def share_cache(directory: Path) -> None:
    """Links the caches into `directory`, for a LocalStack that runs there."""
    for cache in _CACHES:
        link = directory / cache
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path() / cache)


def ensure(progress: Callable[[str], None]) -> Path:
    """Returns the Python of the virtual environment. Creates the environment if it is missing, and reports that.

    Raises WrongPython, CommandFailed, or EnvironmentNotMade if the folder cannot be written.
    Two processes may do this at once: each installs into its own folder, and the first to finish wins.
    """
    if not runs_on(sys.version_info[:2]):
        raise WrongPython(f"LocalStack does not run on Python {sys.version.split()[0]}; {PYTHON_REMEDY}")
    home = path()
    if not home.is_dir():
        progress("installing LocalStack, once (half a minute)")
        partial = home.with_name(f"{home.name}.partial-{os.getpid()}")
        try:
            _install(partial)
            partial.rename(home)
        except OSError as error:
            if not home.is_dir():
                raise EnvironmentNotMade(f"LocalStack could not be installed into {home}: {error}") from None
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return home / "bin" / "python"


def _install(home: Path) -> None:
    python = home / "bin" / "python"
    uv = [find_uv_bin(), "--quiet"]
    run([*uv, "venv", "--python", sys.executable, str(home)], remedy=_REMEDY)
    sync = ["pip", "sync", "--python", str(python), "--require-hashes", "--compile-bytecode", str(LOCK)]
    run([*uv, *sync], remedy=_REMEDY, environment=from_pip(os.environ))
    for cache in _CACHES:
        (home / cache).mkdir(parents=True)
    _link_plugin(home / "plugins")
    run(
        [str(python), "-m", "localstack.aws.spec"],
        environment=settings.environment("127.0.0.1", 0, home),
        remedy="This should not happen, since LocalStack's packages are locked. Please report it.",
    )


def _link_plugin(folder: Path) -> None:
    """Links the plugin, so that LocalStack always loads the kit's current code."""
    for room in _ROOMS:
        link = folder / "sim" / room
        link.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            link.symlink_to(_KIT / room)
    with suppress(FileExistsError):
        (folder / PLUGIN_METADATA.name).symlink_to(PLUGIN_METADATA)
