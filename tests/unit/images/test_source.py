"""The copy of a checkout that is a version where there is no Docker."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.errors import VersionTaken
from sim.images.source import copied


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    api = tmp_path / "checkout/services/api"
    (api / "__pycache__").mkdir(parents=True)
    (api / "app.py").write_text("one = 1\n")
    (api / "__pycache__/app.pyc").write_bytes(b"compiled")
    return tmp_path / "checkout"


def test_a_version_stays_what_it_was_when_the_checkout_changes(checkout: Path, tmp_path: Path) -> None:
    kept = copied("api", "1.0.0", tmp_path / "versions", checkout)
    (checkout / "services/api/app.py").write_text("two = 2\n")
    files = [str(each.relative_to(kept.folder)) for each in kept.folder.rglob("*") if each.is_file()]
    assert files == ["services/api/app.py"]
    assert (kept.folder / "services/api/app.py").read_text() == "one = 1\n"


def test_the_same_checkout_is_the_same_version_again_and_another_one_is_refused(checkout: Path, tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    first = copied("api", "1.0.0", versions, checkout)
    (checkout / "services/api/__pycache__/more.pyc").write_bytes(b"compiled")
    assert copied("api", "1.0.0", versions, checkout) == first
    (checkout / "services/api/new.py").write_text("")
    with pytest.raises(VersionTaken, match=r"api 1\.0\.0 was registered before services/ changed"):
        copied("api", "1.0.0", versions, checkout)
    assert not list(first.folder.rglob("new.py"))
