"""A Python that LocalStack does not run on is refused at once, with the remedy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sim.cloud.localstack import venv

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (4, 0)])
def test_the_kit_refuses_another_python(version: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        venv, "sys", SimpleNamespace(version_info=(*version, 0), version=f"{version[0]}.{version[1]}.0")
    )
    progress: list[str] = []
    with pytest.raises(venv.WrongPython, match=rf"Python {version[0]}\.{version[1]}\.0; install Python 3\.11"):
        venv.ensure(progress.append)
    assert progress == []


def test_make_refuses_another_python_before_it_sets_anything_up(tmp_path: Path) -> None:
    other = tmp_path / "python3.14"
    other.write_text(f"""#!/bin/sh
exec '{sys.executable}' -c 'import sys; sys.version_info = (3, 14, 0); exec(sys.argv[1])' "$2"
""")
    other.chmod(0o755)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "requirements").mkdir()
    for name in ("bootstrap.txt", "dev.txt"):
        (tmp_path / "requirements" / name).touch()
    made = subprocess.run(
        ["make", f"PYTHON={other}", "setup"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode != 0
    assert "LocalStack runs on Python 3.11 to 3.13" in made.stdout
    assert "make PYTHON=python3.11" in made.stdout
    assert not (tmp_path / ".venv").exists()
