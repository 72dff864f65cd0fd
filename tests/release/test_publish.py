"""Images into the local cloud's ECR, by the calls that ECR takes anywhere."""

from __future__ import annotations

import json

import pytest

from release.ecr import Repository
from release.errors import NotPublished, VersionTaken
from tests.release.conftest import Place


def test_what_was_built_is_what_is_there_layer_by_layer(place: Place) -> None:
    image = place.publish("1.2.3", layer=b"x" * 25_000_000)
    [found] = place.aws("ecr").batch_get_image(repositoryName="emails/api", imageIds=[{"imageTag": "1.2.3"}])["images"]
    assert json.loads(found["imageManifest"]) == json.loads(image.manifest)
    assert found["imageId"]["imageDigest"] == image.digest
    layers = place.aws("ecr").batch_check_layer_availability(
        repositoryName="emails/api", layerDigests=list(image.blobs)
    )
    assert {each["layerAvailability"] for each in layers["layers"]} == {"AVAILABLE"}
    assert place.repository.digest("1.2.3") == place.repository.digest("1.2.3-c0ffeec0ffee") == image.digest


def test_publishing_again_changes_nothing_and_another_image_is_refused(place: Place) -> None:
    first = place.publish("1.2.3")
    place.publish("1.2.3")
    with pytest.raises(VersionTaken, match=first.digest):
        place.publish("1.2.3", layer=b"another")
    assert place.repository.digest("1.2.3") == first.digest


def test_a_layer_that_is_there_is_not_sent_again(place: Place) -> None:
    place.publish("1.2.3")
    image = place.publish("1.2.4")
    assert place.repository.digest(image.digest) == image.digest


def test_a_version_that_is_not_there_is_an_error_that_names_those_that_are(place: Place) -> None:
    for version in ("0.9.0", "0.10.0"):
        place.publish(version)
    with pytest.raises(NotPublished, match=r"emails/api has no 1\.0\.0; it has 0\.10\.0, 0\.9\.0: publish it first"):
        Repository(place.aws("ecr"), "emails/api").digest("1.0.0")
