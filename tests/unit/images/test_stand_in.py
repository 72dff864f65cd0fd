"""Which image stands for a repository, as a command is given it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.images.stand_in import BadImage, given


def test_a_folder_is_named_by_its_whole_path_and_an_image_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Dockerfile").touch()
    monkeypatch.chdir(tmp_path)
    assert given(["team/web=web", "nginx:1=local/nginx:1"]) == {
        "team/web": str(tmp_path / "web"),
        "nginx:1": "local/nginx:1",
    }


@pytest.mark.parametrize("bad", ["web", "=x", "web="])
def test_what_names_no_image_is_refused(bad: str) -> None:
    with pytest.raises(BadImage, match="REPOSITORY=FOLDER"):
        given([bad])


def test_a_folder_without_a_dockerfile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match="has no Dockerfile"):
        given([f"web={tmp_path}"])
