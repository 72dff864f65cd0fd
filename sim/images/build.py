"""Every image that a stack of containers runs from, fetched or built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sim.images import control_plane, engine, gateway, offline, service
from sim.images.base_image import OFFLINE, BaseImages


def build(bases: BaseImages, progress: Callable[[str], None], *, cache: Path, source: str = "") -> dict[str, str]:
    """Fetches or builds `bases` and builds what runs on them; the names of all as environment variables.

    Root file systems are kept in `cache`; `source` is the URL of the repository, for the services' labels.
    Raises SimError.
    """
    if bases.python == OFFLINE.python or bases.localstack == OFFLINE.localstack:
        offline.build_python(cache, progress)
    if bases.localstack == OFFLINE.localstack:
        offline.build_localstack(progress)
    elif not engine.exists(bases.localstack):
        progress(bases.localstack)
        engine.pull(bases.localstack)
    if bases.localstack != control_plane.IMAGE:
        progress(f"{control_plane.IMAGE} on {bases.localstack}")
        control_plane.build(bases.localstack)
    progress(f"{gateway.IMAGE} on {bases.python}")
    gateway.build(bases.python)
    images = {"LOCALSTACK_IMAGE": control_plane.IMAGE, "GATEWAY_IMAGE": gateway.IMAGE}
    for name in service.SERVICES:
        progress(f"{service.image(name)} on {bases.python}")
        images[f"{name.upper()}_IMAGE"] = service.build(name, bases.python, source)
    return bases.environment() | images
