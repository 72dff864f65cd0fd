"""LocalStack's own Python environment: made once, from its lock, inside the environment of the kit.

With it goes a cache of what LocalStack works out at its first start, because every run of the kit
gives LocalStack a new directory to write in, and a folder where LocalStack finds the control plane as a plugin.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from uv import find_uv_bin

from sim.cloud.localstack import settings
from sim.errors import SimError
from sim.host.command import run
from sim.host.package_index import from_pip

LOCK = Path(__file__).with_name("requirements.txt")
PLUGIN = Path(__file__).parents[1] / "control_plane"
PLUGIN_METADATA = Path(__file__).with_name("control_plane.dist-info")
"""By which LocalStack finds the plugin: what an installer of packages leaves."""

# Below FILESYSTEM_ROOT: the index of AWS's services, which takes seconds to work out, and the list of plugins.
_CACHES = (Path("usr/lib/localstack"), Path("cache"))
_REMEDY = "LocalStack's packages come from the Python package index: see that it can be reached."


class EnvironmentNotMade(SimError):
    """The folder of LocalStack's environment cannot be written."""


def path() -> Path:
    """Where the environment for the present lock is, or will be."""
    entry_points = PLUGIN_METADATA / "entry_points.txt"
    digest = hashlib.sha256(LOCK.read_bytes() + entry_points.read_bytes() + sys.version.encode()).hexdigest()[:12]
    return Path(sys.prefix) / f"localstack-{digest}"


def is_made() -> bool:
    """Whether it is there."""
    return path().is_dir()


def plugins() -> Path:
    """The folder that LocalStack's Python needs in its path."""
    return path() / "plugins"


def share_cache(directory: Path) -> None:
    """Lets a LocalStack that runs in `directory` use the environment's caches."""
    for cache in _CACHES:
        link = directory / cache
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path() / cache)


def ensure(progress: Callable[[str], None]) -> Path:
    """The environment's Python; installs what is missing, telling so.

    Raises CommandFailed, or EnvironmentNotMade where nothing can be written.
    Two processes may do it at once: each installs into a folder of its own, the first to finish wins.
    """
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
        remedy="Please report this: what LocalStack needs is locked, so it should not happen.",
    )


def _link_plugin(folder: Path) -> None:
    """Links, so that the plugin is what the kit has now."""
    package = folder / "sim" / "cloud" / "control_plane"
    package.parent.mkdir(parents=True)
    package.symlink_to(PLUGIN)
    (folder / PLUGIN_METADATA.name).symlink_to(PLUGIN_METADATA)
