"""The copy of a checkout that is a version where there is no Docker."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.errors import VersionTaken
from sim.cloud.registry.source_image import Source
from sim.host.command import CommandFailed, run
from sim.images.checkout import ROOT
from sim.images.commit import exported
from sim.images.source import OtherPackages, check_packages, copied


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


def test_a_version_can_be_made_of_a_commit(tmp_path: Path) -> None:
    with exported("HEAD") as commit:
        made = copied("api", "1.0.0", tmp_path, commit.folder, commit.id)
    assert made.revision == run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], remedy="").strip()
    assert (made.folder / "services/api/app.py").is_file()


def test_a_commit_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandFailed, match="Needed a single revision"), exported("no-such-commit"):
        pass


def test_a_commit_with_other_locks_does_not_run_as_a_process(tmp_path: Path) -> None:
    source = Source("api", "1.0.0", "c0ffee", tmp_path)
    lock = tmp_path / "services/api/requirements.txt"
    lock.parent.mkdir(parents=True)
    lock.write_bytes((ROOT / "services/api/requirements.txt").read_bytes())
    check_packages(source)
    lock.write_text("flask==0.1\n")
    with pytest.raises(OtherPackages, match=r"api 1\.0\.0 cannot run as a process.* of c0ffee"):
        check_packages(source)
