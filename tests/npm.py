"""Packages of npm that only tests use, installed in the virtual environment as their locks have them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

LOCKS = Path(__file__).resolve().parents[1] / "requirements"


def installed(name: str) -> Path:
    """The folder with `node_modules` of the lock of this name."""
    folder = Path(sys.prefix) / name
    lock = (LOCKS / name / "package-lock.json").read_bytes()
    ready = folder / ".ready"
    if not ready.exists() or ready.read_bytes() != lock:
        shutil.copytree(LOCKS / name, folder, dirs_exist_ok=True)
        subprocess.run(["npm", "ci", "--loglevel=error"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        ready.write_bytes(lock)
    return folder
