"""A version is published once."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.engine import Image
from release.errors import NotAnImage, NotPublished, VersionTaken
from release.publish import Pushed, deployed, missing, publish, pushed, revision
from tests.unit.release.conftest import BASE, labels

COMMIT = "0123456789abcdef" * 2 + "01234567"
TAGS = ("1.2.3", "1.2.3-0123456789ab")
AMD, ARM = "linux/amd64", "linux/arm64"
IMAGE = Image("sha256:configured", labels("1.2.3", COMMIT), AMD)
THERE = Pushed("sha256:there", IMAGE.id)
OTHERS = Pushed("sha256:others", "sha256:other")


class Shelf:
    """A registry in a dictionary, into which `pushes` lead."""

    def __init__(self, tags: Mapping[str, Pushed] | None = None) -> None:
        self.tags = dict(tags or {})
        self.pushes: list[str] = []
        self.comes_first: Pushed | None = None

    def found(self, tags: tuple[str, ...]) -> Mapping[str, Pushed]:
        return {tag: self.tags[tag] for tag in tags if tag in self.tags}

    def push(self, image: Image, tag: str) -> None:
        assert tag not in self.tags
        self.pushes.append(tag)
        self.tags[tag] = self.comes_first or Pushed(f"sha256:of {tag}", image.id)

    def tag(self, digest: str, tag: str) -> None:
        [self.tags[tag]] = {each for each in self.tags.values() if each.digest == digest}


def test_an_image_is_pushed_once_and_is_there_under_its_version_and_its_version_with_its_commit() -> None:
    shelf = Shelf()
    done = publish(IMAGE, "1.2.3", COMMIT, shelf)
    assert (done.new, shelf.pushes) == (TAGS, ["1.2.3"])
    assert {each.digest for each in shelf.tags.values()} == {done.digest}
    assert tuple(shelf.tags) == TAGS


def test_publishing_it_again_changes_nothing() -> None:
    shelf = Shelf(dict.fromkeys(TAGS, THERE))
    done = publish(IMAGE, "1.2.3", COMMIT, shelf)
    assert (done.new, done.digest, shelf.pushes) == ((), THERE.digest, [])


@pytest.mark.parametrize("kept", TAGS)
def test_what_an_interrupted_publish_left_out_is_made_good_without_another_push(kept: str) -> None:
    """Another push may compress the layers to other bytes, and give the version a second digest."""
    shelf = Shelf({kept: THERE})
    assert publish(IMAGE, "1.2.3", COMMIT, shelf).new == tuple(tag for tag in TAGS if tag != kept)
    assert (shelf.tags, shelf.pushes) == (dict.fromkeys(TAGS, THERE), [])


def test_a_version_with_another_image_is_never_overwritten() -> None:
    shelf = Shelf({"1.2.3": OTHERS})
    with pytest.raises(VersionTaken, match=r"1\.2\.3 is there already as sha256:others.*release bump"):
        publish(IMAGE, "1.2.3", COMMIT, shelf)
    assert (shelf.tags, shelf.pushes) == ({"1.2.3": OTHERS}, [])


def test_an_image_that_another_publish_pushed_meanwhile_is_noticed() -> None:
    shelf = Shelf()
    shelf.comes_first = OTHERS
    with pytest.raises(VersionTaken, match="is there already as sha256:others"):
        publish(IMAGE, "1.2.3", COMMIT, shelf)


def test_an_image_is_the_same_by_its_configuration_or_by_its_manifest() -> None:
    by_configuration = pushed("sha256:1", json.dumps({"config": {"digest": IMAGE.id}, "layers": []}))
    index = json.dumps({"manifests": [{"digest": "sha256:2"}]})
    assert by_configuration.is_the_same(IMAGE)
    assert pushed(IMAGE.id, index).is_the_same(IMAGE), "an engine that keeps images as containerd does"
    assert not pushed("sha256:1", index).is_the_same(IMAGE)
    assert not OTHERS.is_the_same(IMAGE)


@pytest.mark.parametrize(
    ("version", "commit", "label"), [("1.2.4", COMMIT, "version"), ("1.2.3", "f" * 40, "revision")]
)
def test_an_image_of_another_version_or_commit_is_refused(version: str, commit: str, label: str) -> None:
    with pytest.raises(NotAnImage, match=f"label {label} says"):
        publish(IMAGE, version, commit, Shelf())


def test_an_image_for_another_architecture_is_refused_before_its_version_is_spent() -> None:
    arm = Image("sha256:arm", labels("1.2.3", COMMIT), ARM)
    shelf = Shelf()
    with pytest.raises(NotAnImage, match=r"for linux/arm64, and the instances are linux/amd64.*--platform"):
        publish(arm, "1.2.3", COMMIT, shelf)
    assert shelf.tags == {}
    assert publish(arm, "1.2.3", COMMIT, shelf, ARM).new == TAGS


def test_an_image_on_another_base_is_refused_and_one_from_a_mirror_is_not() -> None:
    def on(base: str) -> Image:
        return Image("sha256:1", labels("1.2.3", COMMIT, base), AMD)

    mirrored = on(BASE.replace("python", "mirror.example.com/library/python"))
    assert publish(mirrored, "1.2.3", COMMIT, Shelf(), base=BASE).new == TAGS
    stand_in, unknown = on("base/python:3.11"), on("")
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


@given(st.dictionaries(st.sampled_from(TAGS), st.sampled_from([THERE, OTHERS])))
def test_with_what_is_missing_every_tag_is_this_image_or_nothing_is_missing_for_it(there: dict[str, Pushed]) -> None:
    try:
        new = missing(TAGS, IMAGE, there)
    except VersionTaken:
        assert OTHERS in there.values()
    else:
        assert there | dict.fromkeys(new, THERE) == dict.fromkeys(TAGS, THERE)
