"""An image as `docker save` writes it, turned into what a registry takes.

The archive is an OCI image layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
Its layers are as the engine holds them, mostly not compressed. They are compressed here in a way that knows no time, so
that one archive has one digest, known before anything is pushed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.errors import NotAnImage

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_TAR = "application/vnd.oci.image.layer.v1.tar"
_LAYER = f"{_TAR}+gzip"
_TARS = frozenset({_TAR, _LAYER, "application/vnd.docker.image.rootfs.diff.tar.gzip"})
"""The last is how engines describe layers that they have pulled."""
_GZIP = b"\x1f\x8b"
_LEVEL = 6


@dataclass(frozen=True)
class Image:
    """A manifest, byte for byte as it is pushed, and the blobs that it names by their digests."""

    manifest: str
    blobs: Mapping[str, bytes]
    labels: Mapping[str, str]
    platform: str
    """Operating system and architecture, such as linux/amd64."""

    @property
    def digest(self) -> str:
        """What names the image wherever it is."""
        return _digest(self.manifest.encode())


def read(archive: Path) -> Image:
    """The image in an archive. Raises NotAnImage."""
    try:
        with tarfile.open(archive) as tar:
            return _read(tar, archive)
    except (tarfile.TarError, OSError, KeyError, ValueError) as error:
        raise NotAnImage(
            f"{archive} is no image in OCI layout ({type(error).__name__}: {error}); "
            "`docker save IMAGE --output FILE` of Docker Engine 25 or newer writes one"
        ) from error


def _read(tar: tarfile.TarFile, archive: Path) -> Image:
    images = _json(_member(tar, "index.json"))["manifests"]
    if len(images) != 1:
        raise NotAnImage(f"{archive} holds {len(images)} images; save the one that is to be published")
    [described] = images
    manifest = _json(_blob(tar, described["digest"]))
    if "manifests" in manifest:
        manifest = _json(_blob(tar, _only(manifest["manifests"], archive)["digest"]))
    config = _blob(tar, manifest["config"]["digest"])
    if other := {layer["mediaType"] for layer in manifest["layers"]} - _TARS:
        raise NotAnImage(f"the image in {archive} has layers of {', '.join(sorted(other))}; build it without zstd")
    layers = [_compressed(_blob(tar, layer["digest"])) for layer in manifest["layers"]]
    if not layers:
        raise NotAnImage(f"the image in {archive} has no layers; name one that was built from a Dockerfile")
    return image(config, layers)


def image(config: bytes, layers: list[bytes]) -> Image:
    """The image of a configuration and compressed layers."""
    described = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(_CONFIG, config),
        "layers": [_descriptor(_LAYER, layer) for layer in layers],
    }
    configured = _json(config)
    labels = configured.get("config", {}).get("Labels") or {}
    manifest = json.dumps(described, separators=(",", ":"))
    return Image(manifest, {_digest(blob): blob for blob in (config, *layers)}, labels, _platform(configured))


def _only(manifests: list[dict[str, Any]], archive: Path) -> dict[str, Any]:
    """The one image of an index. With containerd's store the engine keeps what attests an image beside it."""
    images = [each for each in manifests if each.get("platform", {}).get("os") != "unknown"]
    if len(images) != 1:
        platforms = ", ".join(_platform(each.get("platform", {})) for each in images)
        raise NotAnImage(
            f"{archive} holds an image for several platforms ({platforms or 'none'}), and one is published; "
            "build it for the instances' alone, or name that to `docker save --platform`"
        )
    return images[0]


def _platform(said: Mapping[str, Any]) -> str:
    return f"{said.get('os', '?')}/{said.get('architecture', '?')}"


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()


def _blob(tar: tarfile.TarFile, digest: str) -> bytes:
    return _member(tar, f"blobs/{digest.replace(':', '/')}")


def _compressed(layer: bytes) -> bytes:
    return layer if layer.startswith(_GZIP) else gzip.compress(layer, _LEVEL, mtime=0)


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _json(text: bytes) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError(value)
    return value
