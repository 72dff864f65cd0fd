"""ECR's API: images by their manifests, and what Docker needs to find and enter the registry."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sim.cloud.aws_client import REGION
from sim.cloud.local import LocalCloud
from tests.cloud.shared import Client

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


def manifest(content: bytes) -> str:
    """The manifest of an image."""
    blobs = [{"digest": digest(each), "size": len(each)} for each in (b"{} " + content, b"layer " + content)]
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": blobs[0], "layers": blobs[1:]})


def put(ecr: Client, image: str, **tag: str) -> str:
    """Puts a manifest; its digest."""
    answer = ecr.put_image(repositoryName=NAME, imageManifest=image, imageManifestMediaType=MANIFEST, **tag)
    return str(answer["image"]["imageId"]["imageDigest"])


def test_an_image_is_found_by_tag_and_by_digest_as_it_was_put(ecr: Client) -> None:
    image = manifest(b"1")
    pushed = put(ecr, image, imageTag="1.0.0")
    assert pushed == digest(image.encode())
    for name in ({"imageTag": "1.0.0"}, {"imageDigest": pushed}):
        [found] = ecr.batch_get_image(repositoryName=NAME, imageIds=[name])["images"]
        assert found["imageManifest"] == image
        [described] = ecr.describe_images(repositoryName=NAME, imageIds=[name])["imageDetails"]
        assert (described["imageDigest"], described["imageTags"]) == (pushed, ["1.0.0"])


def test_images_without_a_tag_are_found_by_their_digests(ecr: Client) -> None:
    images = {put(ecr, image): image for image in (manifest(b"1"), manifest(b"2"))}
    for pushed, image in images.items():
        [found] = ecr.batch_get_image(repositoryName=NAME, imageIds=[{"imageDigest": pushed}])["images"]
        assert found["imageManifest"] == image
    first = next(iter(images))
    assert put(ecr, images[first], imageTag="1.0.0") == first
    assert [each.get("imageTag") for each in ecr.list_images(repositoryName=NAME)["imageIds"]] == ["1.0.0", None]


def test_an_immutable_tag_cannot_be_moved(ecr: Client) -> None:
    first, second = manifest(b"1"), manifest(b"2")
    pushed = put(ecr, first, imageTag="1.0.0")
    with pytest.raises(ecr.exceptions.ImageTagAlreadyExistsException):
        put(ecr, second, imageTag="1.0.0")
    with pytest.raises(ecr.exceptions.ImageAlreadyExistsException):
        put(ecr, first, imageTag="1.0.0")
    assert put(ecr, first, imageTag="stable") == pushed
    [described] = ecr.describe_images(repositoryName=NAME)["imageDetails"]
    assert sorted(described["imageTags"]) == ["1.0.0", "stable"]


@pytest.mark.parametrize("image", ["no JSON", "[]", '"text"'])
def test_what_is_no_manifest_is_refused(ecr: Client, image: str) -> None:
    with pytest.raises(ecr.exceptions.InvalidParameterException, match="The image manifest is invalid"):
        put(ecr, image, imageTag="1.0.0")


def test_an_image_that_claims_another_digest_is_refused(ecr: Client) -> None:
    with pytest.raises(ecr.exceptions.ImageDigestDoesNotMatchException):
        put(ecr, manifest(b"1"), imageTag="1.0.0", imageDigest=digest(b"other"))


def test_a_missing_resource_gives_the_error_that_aws_gives(ecr: Client) -> None:
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.put_image(repositoryName="none", imageManifest=manifest(b"1"), imageTag="1.0.0")
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_images(repositoryName=NAME, imageIds=[{"imageTag": "none"}])


def test_repositories_and_tokens_lead_to_the_registry(ecr: Client, cloud: LocalCloud, account: str) -> None:
    if cloud.registry is None:
        aws_shape = f"{account}.dkr.ecr.{REGION}.amazonaws.com/{NAME}"
        assert ecr.describe_repositories()["repositories"][0]["repositoryUri"] == aws_shape
        with pytest.raises(ecr.exceptions.ServerException, match="has no registry to log in to"):
            ecr.get_authorization_token()
        return
    address = cloud.registry.address
    assert ecr.describe_repositories()["repositories"][0]["repositoryUri"] == f"{address}/{NAME}"
    created = ecr.create_repository(repositoryName="other")["repository"]
    assert created["repositoryUri"] == f"{address}/other"
    [data] = ecr.get_authorization_token()["authorizationData"]
    assert data["proxyEndpoint"] == f"http://{address}"
    assert abs(data["expiresAt"] - datetime.now(UTC) - timedelta(hours=12)) < timedelta(minutes=1)
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
