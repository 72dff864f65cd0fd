"""A version is published once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.errors import NotAnImage, NotPublished, VersionTaken
from release.image import Image, read
from release.publish import deployed, missing, publish, revision
from tests.unit.release.conftest import BASE, labels, save

COMMIT = "0123456789abcdef" * 2 + "01234567"
TAGS = ("1.2.3", "1.2.3-0123456789ab")


class Shelf:
    """A registry in a dictionary."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}

    def digests(self, tags: tuple[str, ...]) -> Mapping[str, str]:
        return {tag: self.tags[tag] for tag in tags if tag in self.tags}

    def push(self, image: Image, tags: tuple[str, ...]) -> None:
        assert not set(tags) & set(self.tags)
        self.tags |= dict.fromkeys(tags, image.digest)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return read(save(tmp_path / "image.tar", [b"layer"], labels("1.2.3", COMMIT)))


def test_an_image_is_there_under_its_version_and_its_version_with_its_commit(image: Image) -> None:
    shelf = Shelf()
    assert publish(image, "1.2.3", COMMIT, shelf).new == TAGS
    assert shelf.tags == dict.fromkeys(TAGS, image.digest)


def test_publishing_it_again_changes_nothing(image: Image) -> None:
    shelf = Shelf()
    publish(image, "1.2.3", COMMIT, shelf)
    assert publish(image, "1.2.3", COMMIT, shelf).new == ()


def test_what_an_interrupted_push_left_out_is_made_good(image: Image) -> None:
    shelf = Shelf()
    shelf.tags["1.2.3"] = image.digest
    assert publish(image, "1.2.3", COMMIT, shelf).new == TAGS[1:]


def test_a_version_with_another_digest_is_never_overwritten(image: Image) -> None:
    shelf = Shelf()
    shelf.tags["1.2.3"] = "sha256:other"
    with pytest.raises(VersionTaken, match=r"1\.2\.3 is there already as sha256:other.*release bump"):
        publish(image, "1.2.3", COMMIT, shelf)
    assert shelf.tags == {"1.2.3": "sha256:other"}


@pytest.mark.parametrize(
    ("version", "commit", "label"), [("1.2.4", COMMIT, "version"), ("1.2.3", "f" * 40, "revision")]
)
def test_an_image_of_another_version_or_commit_is_refused(image: Image, version: str, commit: str, label: str) -> None:
    with pytest.raises(NotAnImage, match=f"label {label} says"):
        publish(image, version, commit, Shelf())


def test_an_image_for_another_architecture_is_refused_before_its_version_is_spent(tmp_path: Path) -> None:
    arm = read(save(tmp_path / "arm.tar", [b"layer"], labels("1.2.3", COMMIT), architecture="arm64"))
    shelf = Shelf()
    with pytest.raises(NotAnImage, match=r"for linux/arm64, and the instances are linux/amd64.*--platform"):
        publish(arm, "1.2.3", COMMIT, shelf)
    assert shelf.tags == {}
    assert publish(arm, "1.2.3", COMMIT, shelf, "linux/arm64").new == TAGS


def test_an_image_on_another_base_is_refused_and_one_from_a_mirror_is_not(tmp_path: Path) -> None:
    mirrored = BASE.replace("python", "mirror.example.com/library/python")
    image = read(save(tmp_path / "mirrored.tar", [b"layer"], labels("1.2.3", COMMIT, mirrored)))
    assert publish(image, "1.2.3", COMMIT, Shelf(), base=BASE).new == TAGS
    stand_in = read(save(tmp_path / "stand-in.tar", [b"layer"], labels("1.2.3", COMMIT, "base/python:3.11")))
    unknown = read(save(tmp_path / "unknown.tar", [b"layer"], labels("1.2.3", COMMIT)))
    for wrong, said in ((stand_in, "built on base/python:3.11"), (unknown, "built on a base that no label names")):
        with pytest.raises(NotAnImage, match=f"{said}, and a release is built on python:3.11@sha256:ba5e"):
            publish(wrong, "1.2.3", COMMIT, Shelf(), base=BASE)


def test_the_tags_of_an_image_say_which_commit_it_was_built_from() -> None:
    assert revision(["1.2.3", "1.2.3-0123456789ab"]) == "0123456789ab"
    kept = deployed("staging", f"sha256:{'0123456789ab' * 5}0123")
    assert revision([kept, "1.2.3-fedcba987654"]) == "fedcba987654"
    with pytest.raises(
        NotPublished, match=r"none of the tags 1\.2\.3, deployed-staging-0123456789ab says which commit"
    ):
        revision(["1.2.3", kept])


@given(st.dictionaries(st.sampled_from(TAGS), st.sampled_from(["ours", "theirs"])))
def test_after_pushing_what_is_missing_every_tag_is_this_image_or_nothing_was_pushed(there: dict[str, str]) -> None:
    try:
        new = missing(TAGS, "ours", there)
    except VersionTaken:
        assert "theirs" in there.values()
    else:
        assert there | dict.fromkeys(new, "ours") == dict.fromkeys(TAGS, "ours")
