"""A repository of git with the services' folders, and the labels of their images."""

from __future__ import annotations

import subprocess
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
