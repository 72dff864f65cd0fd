"""Images pushed to a repository by its API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest

from tests.cloud.conftest import Client

NAME = "emails/api"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def ecr(aws: Callable[[str], Client]) -> Client:
    """A client; there is a repository whose tags are immutable."""
    ecr = aws("ecr")
    ecr.create_repository(repositoryName=NAME, imageTagMutability="IMMUTABLE")
    return ecr


def digest(blob: bytes) -> str:
    """As registries name blobs."""
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def upload(ecr: Client, blob: bytes, named: str | None = None) -> str:
    """Pushes a layer in two parts; the digest that the registry found."""
    begun = ecr.initiate_layer_upload(repositoryName=NAME)["uploadId"]
    half = len(blob) // 2
    for first, part in ((0, blob[:half]), (half, blob[half:])):
        last = first + len(part) - 1
        answer = ecr.upload_layer_part(
            repositoryName=NAME, uploadId=begun, partFirstByte=first, partLastByte=last, layerPartBlob=part
        )
        assert answer["lastByteReceived"] == last
    done = ecr.complete_layer_upload(repositoryName=NAME, uploadId=begun, layerDigests=[named or digest(blob)])
    return str(done["layerDigest"])


def manifest(ecr: Client, content: bytes) -> str:
    """Of an image whose blobs are pushed."""
    blobs = [{"digest": upload(ecr, each), "size": len(each)} for each in (b"{} " + content, b"layer " + content)]
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": blobs[0], "layers": blobs[1:]})


def put(ecr: Client, image: str, tag: str) -> str:
    """Pushes a manifest; its digest."""
    answer = ecr.put_image(repositoryName=NAME, imageManifest=image, imageManifestMediaType=MANIFEST, imageTag=tag)
    return str(answer["image"]["imageId"]["imageDigest"])


def test_an_image_is_found_by_tag_and_by_digest_as_it_was_pushed(ecr: Client) -> None:
    image = manifest(ecr, b"1")
    pushed = put(ecr, image, "1.0.0")
    assert pushed == digest(image.encode())
    for name in ({"imageTag": "1.0.0"}, {"imageDigest": pushed}):
        [found] = ecr.batch_get_image(repositoryName=NAME, imageIds=[name])["images"]
        assert found["imageManifest"] == image
        [described] = ecr.describe_images(repositoryName=NAME, imageIds=[name])["imageDetails"]
        assert (described["imageDigest"], described["imageTags"]) == (pushed, ["1.0.0"])


def test_an_immutable_tag_cannot_be_moved(ecr: Client) -> None:
    first, second = manifest(ecr, b"1"), manifest(ecr, b"2")
    pushed = put(ecr, first, "1.0.0")
    with pytest.raises(ecr.exceptions.ImageTagAlreadyExistsException):
        put(ecr, second, "1.0.0")
    with pytest.raises(ecr.exceptions.ImageAlreadyExistsException):
        put(ecr, first, "1.0.0")
    assert put(ecr, first, "stable") == pushed
    [described] = ecr.describe_images(repositoryName=NAME)["imageDetails"]
    assert sorted(described["imageTags"]) == ["1.0.0", "stable"]


def test_a_layer_that_exists_need_not_be_pushed_again(ecr: Client) -> None:
    there, other = upload(ecr, b"layer"), digest(b"other")
    known = ecr.batch_check_layer_availability(repositoryName=NAME, layerDigests=[there, other])["layers"]
    assert {each["layerDigest"]: each["layerAvailability"] for each in known} == {
        there: "AVAILABLE",
        other: "UNAVAILABLE",
    }
    with pytest.raises(ecr.exceptions.LayerAlreadyExistsException):
        upload(ecr, b"layer")


def test_a_layer_with_the_wrong_digest_is_refused(ecr: Client) -> None:
    with pytest.raises(ecr.exceptions.InvalidLayerException):
        upload(ecr, b"layer", named=digest(b"other"))


def test_an_image_without_its_layers_is_refused(ecr: Client) -> None:
    image = json.dumps({"schemaVersion": 2, "config": {"digest": digest(b"none")}, "layers": []})
    with pytest.raises(ecr.exceptions.LayersNotFoundException):
        put(ecr, image, "1.0.0")


def test_an_image_that_claims_another_digest_is_refused(ecr: Client) -> None:
    with pytest.raises(ecr.exceptions.ImageDigestDoesNotMatchException):
        ecr.put_image(
            repositoryName=NAME, imageManifest=manifest(ecr, b"1"), imageTag="1.0.0", imageDigest=digest(b"other")
        )


def test_a_missing_resource_gives_the_error_that_aws_gives(ecr: Client) -> None:
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.initiate_layer_upload(repositoryName="none")
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_images(repositoryName=NAME, imageIds=[{"imageTag": "none"}])
