"""The stand-ins for the official images, made from Debian's and Python's packages where no image registry is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.cloud.localstack import settings, venv
from sim.images import engine, package_index, rootfs
from sim.images.base_image import OFFLINE

_HERE = Path(__file__).parent


def build_python(cache: Path, progress: Callable[[str], None]) -> None:
    """Builds OFFLINE.python; root file systems are kept in `cache`. Raises SimError."""
    root = f"offline/rootfs:{rootfs.FINGERPRINT}"
    if not engine.exists(root):
        progress(f"{root} from Debian's packages (half a minute, the first time)")
        engine.import_tarball(rootfs.make(cache), root)
    progress(f"{OFFLINE.python} on {root}")
    pip = package_index.pip_settings()
    with TemporaryDirectory() as directory:
        context = Path(directory)
        context.joinpath("ca-certificates.crt").write_bytes(package_index.ca_bundle(pip).read_bytes())
        context.joinpath("pip.conf").write_text(package_index.pip_conf(pip))
        engine.build(
            OFFLINE.python, dockerfile=_HERE / "python.Dockerfile", context=context, arguments={"ROOTFS": root}
        )


def build_localstack(progress: Callable[[str], None]) -> None:
    """Builds OFFLINE.localstack on OFFLINE.python, from LocalStack's own lock. Raises SimError."""
    progress(f"{OFFLINE.localstack} from Python packages (half a minute, the first time)")
    engine.build(
        OFFLINE.localstack,
        dockerfile=_HERE / "localstack.Dockerfile",
        context=venv.LOCK.parent,
        arguments={"BASE_IMAGE": OFFLINE.python, "SERVICES": ",".join(settings.SERVICES)},
    )
