"""A repository of git with the services' folders, and images in archives."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

BASE = f"python:3.11@sha256:{'ba5e' * 16}"
"""What the services of a repository are built on."""


class Repository:
    """A repository with a commit for each call of `commit`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")
        for service in ("api", "worker"):
            self.write(f"services/{service}/version.txt", "0.1.0\n")
            self.write(f"services/{service}/Dockerfile", f"ARG BASE_IMAGE={BASE}\n")
        self.commit("The beginning", {"services/pipeline/message.py": "one"})

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, message: str, files: dict[str, str]) -> str:
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "repository").mkdir()
    return Repository(tmp_path / "repository")


def settle(checkout: Path, *roots: str, **settings: str) -> None:
    """Makes an environment `test` with these roots, all settings in the file that every root is given."""
    folder = checkout / "environments/test"
    given = {"name": "emails", "environment": "test", **settings}
    for file in ("environment", *roots):
        path = folder / f"{file}.tfvars"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f'{name} = "{value}"\n' for name, value in given.items() if file == "environment"))


def labels(version: str, revision: str, base: str = "") -> dict[str, str]:
    """What the Dockerfiles say of an image."""
    prefix = "org.opencontainers.image"
    return {f"{prefix}.version": version, f"{prefix}.revision": revision, f"{prefix}.base.name": base}


def save(
    file: Path,
    layers: list[bytes],
    labels: dict[str, str],
    *,
    kind: str = "tar",
    architecture: str = "amd64",
    attested: bool = False,
    platforms: tuple[str, ...] = (),
) -> Path:
    """An image as `docker save` writes it: an OCI image layout in a tar file, its layers not compressed.

    `attested` is how an engine writes one that keeps its images in containerd: with what attests it beside it.
    With `platforms` the index names the image once for each of these architectures.
    """
    configured = {"architecture": architecture, "os": "linux", "config": {"Labels": labels}}
    config = json.dumps({**configured, "rootfs": {"type": "layers"}}).encode()
    described = [_descriptor(layer, f"application/vnd.oci.image.layer.v1.{kind}") for layer in layers]
    manifest = json.dumps({"schemaVersion": 2, "config": _descriptor(config), "layers": described}).encode()
    blobs = [config, manifest, *layers]
    top = manifest
    if attested or platforms:
        images = [(manifest, "linux", each) for each in platforms or (architecture,)]
        inner = [
            _descriptor(blob) | {"platform": {"os": os, "architecture": each}}
            for blob, os, each in [*images, (b"{}", "unknown", "unknown")]
        ]
        top = json.dumps({"schemaVersion": 2, "manifests": inner}).encode()
        blobs += [top, b"{}"]
    return archive(file, [top], blobs)


def archive(file: Path, images: list[bytes], blobs: list[bytes]) -> Path:
    """A tar file with an index of these manifests, and the blobs."""
    index = json.dumps({"schemaVersion": 2, "manifests": [_descriptor(each) for each in images]}).encode()
    with tarfile.open(file, "w") as tar:
        for name, blob in {"index.json": index, **{_path(blob): blob for blob in blobs}}.items():
            member = tarfile.TarInfo(name)
            member.size = len(blob)
            tar.addfile(member, io.BytesIO(blob))
    return file


def _descriptor(blob: bytes, media_type: str = "") -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}", "size": len(blob)}


def _path(blob: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}"
