"""Versions in the local cloud's ECR, as a release asks for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from release.ecr import Repository
from release.errors import NotPublished, VersionTaken
from release.publish import deployed, revision
from sim.cloud.registry.register import register
from sim.cloud.registry.source_image import Source
from tests.release.conftest import COMMIT, Place


def test_a_version_that_is_registered_as_its_source_has_a_digest_and_the_tags_of_a_release(place: Place) -> None:
    digest = place.publish("1.2.3")
    assert place.repository.digest("1.2.3") == place.repository.digest(digest) == digest
    assert revision(place.repository.tags(digest)) == COMMIT[:12]


def test_registering_again_changes_nothing_and_another_source_is_refused(place: Place, tmp_path: Path) -> None:
    first = place.publish("1.2.3")
    assert place.publish("1.2.3") == first
    source = Source("api", "1.2.3", COMMIT, tmp_path / "elsewhere")
    for other in (source, replace(source, revision="f00d" * 10)):
        with pytest.raises(VersionTaken, match=r"emails/api has 1\.2\.3 already, and not as the source of api 1\.2\.3"):
            register(place.aws("ecr"), "emails/api", other)
    assert place.repository.digest("1.2.3") == first


def test_a_version_is_given_one_more_tag_and_again_without_an_error(place: Place) -> None:
    digest = place.publish("1.2.3")
    tag = deployed("staging", digest)
    for _ in range(2):
        place.repository.tag(digest, tag)
    assert place.repository.digest(tag) == digest


def test_a_version_that_is_not_there_is_an_error_that_names_those_that_are(place: Place) -> None:
    for version in ("0.9.0", "0.10.0"):
        place.publish(version)
    with pytest.raises(NotPublished, match=r"emails/api has no 1\.0\.0; it has 0\.10\.0, 0\.9\.0: publish it first"):
        Repository(place.aws("ecr"), "emails/api").digest("1.0.0")
