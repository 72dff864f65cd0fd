"""The front of the registry, between an ECR and a storage in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from sim.aws.ecr_authorization import Login, PrivateRegistry, RegistryAccess, issue
from sim.cloud.http import Request, Response
from sim.cloud.registry.answers import EcrError, digest_of
from sim.cloud.registry.front import Ecr, Front
from sim.cloud.registry.storage import Elsewhere, Storage, StorageFailed

SECRET, REGION, NOW = "secret", "eu-central-1", 1000
MANIFEST = b'{"schemaVersion": 2}'
DIGEST = digest_of(MANIFEST)
TYPE = "application/vnd.oci.image.manifest.v1+json"


KEY = "LSIA0000000000000001"
ACCOUNT = "000000000001"


class EcrInMemory(Ecr):
    """Has one repository, `api`, and refuses what `refusal` says. `calls` are what a session of a role did."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        self.refusal: EcrError | None = None
        self.calls: list[str] = []

    async def check(self, login: Login, operation: str, repository: str) -> None:
        assert (login.key, repository) in {(KEY, "api"), (KEY, "other")}
        self.calls.append(operation)
        if self.refusal:
            raise self.refusal

    async def call(self, login: Login, operation: str, **parameters: Any) -> dict[str, Any]:
        assert login.key == (ACCOUNT if operation == "DescribeRepositories" else KEY)
        if login.key == KEY:
            self.calls.append(operation)
            if self.refusal:
                raise self.refusal
        name = parameters.get("repositoryName") or parameters["repositoryNames"][0]
        if name != "api":
            raise EcrError("RepositoryNotFoundException", f"no {name} in {login.registry.account}")
        match operation:
            case "PutImage":
                self.tags[parameters.get("imageTag", "")] = parameters["imageManifest"]
                return {}
            case "BatchGetImage":
                [wanted] = parameters["imageIds"]
                found = [
                    each
                    for tag, each in self.tags.items()
                    if tag == wanted.get("imageTag") or digest_of(each.encode()) == wanted.get("imageDigest")
                ]
                return {"images": [{"imageManifest": each, "imageManifestMediaType": TYPE} for each in found]}
            case "ListImages":
                return {"imageIds": [{"imageTag": tag} for tag in self.tags if tag]}
        return {}


class StorageInMemory(Storage):
    """Answers each manifest with `status`."""

    def __init__(self) -> None:
        super().__init__(("", 0), "http://storage", Elsewhere())
        self.status = 201
        self.fault: StorageFailed | None = None
        self.manifests: list[str] = []

    async def ready(self) -> None:
        if self.fault:
            raise self.fault

    async def ask(self, _: Request, target: str) -> Response:
        self.manifests.append(target)
        return Response(self.status, [], b"from the storage")


class Registry:
    """A front and what is behind it."""

    def __init__(self) -> None:
        self.ecr, self.storage = EcrInMemory(), StorageInMemory()
        self.front = Front(RegistryAccess("127.0.0.1:1", SECRET), self.ecr, self.storage, lambda: NOW)

    def ask(self, method: str, target: str, body: bytes = b"", expires: int = NOW + 1, **headers: str) -> Response:
        token = issue(Login(PrivateRegistry(ACCOUNT, REGION), KEY), expires, SECRET)
        given = {"Authorization": f"Basic {token}", "Content-Type": TYPE, **headers}
        fields = [(name.encode(), value.encode()) for name, value in given.items()]
        return asyncio.run(self.front.answer(Request(method.encode(), target.encode(), fields, body)))

    def refusal(self, method: str, target: str, body: bytes = b"", **options: Any) -> tuple[int, str, str]:
        """The status, the code and the message of a refusal."""
        answer = self.ask(method, target, body, **options)
        [error] = json.loads(answer.body)["errors"]
        return answer.status, error["code"], error["message"]


@pytest.fixture
def registry() -> Registry:
    return Registry()


def headers(answer: Response) -> Mapping[str, str]:
    return {name.decode().lower(): value.decode() for name, value in answer.headers}


def test_what_is_put_under_a_tag_is_there_by_tag_and_by_digest(registry: Registry) -> None:
    assert registry.ask("PUT", "/v2/api/manifests/1.0.0", MANIFEST).status == 201
    assert registry.storage.manifests == [f"/v2/000000000001/{REGION}/api/manifests/{DIGEST}"]
    for reference in ("1.0.0", DIGEST):
        got = registry.ask("GET", f"/v2/api/manifests/{reference}")
        assert (got.status, got.body) == (200, MANIFEST)
        head = headers(registry.ask("HEAD", f"/v2/api/manifests/{reference}"))
        assert (head["docker-content-digest"], head["content-length"]) == (DIGEST, str(len(MANIFEST)))
    assert json.loads(registry.ask("GET", "/v2/api/tags/list").body) == {"name": "api", "tags": ["1.0.0"]}


def test_a_manifest_whose_layers_are_missing_never_reaches_ecr(registry: Registry) -> None:
    registry.storage.status = 400
    assert registry.ask("PUT", "/v2/api/manifests/1.0.0", MANIFEST).body == b"from the storage"
    assert "PutImage" not in registry.ecr.calls


def test_what_ecr_refuses_is_refused_in_its_words(registry: Registry) -> None:
    registry.ecr.refusal = EcrError("ImageTagAlreadyExistsException", "The image tag exists.")
    assert registry.refusal("PUT", "/v2/api/manifests/1", MANIFEST) == (400, "TAG_INVALID", "The image tag exists.")
    unknown = (404, "NAME_UNKNOWN", "no other in 000000000001")
    assert registry.refusal("PUT", "/v2/other/manifests/1", MANIFEST) == unknown
    registry.ecr.refusal = None
    assert registry.refusal("POST", "/v2/other/blobs/uploads/") == unknown
    assert registry.refusal("GET", "/v2/api/manifests/2")[:2] == (404, "MANIFEST_UNKNOWN")


def test_the_same_image_again_is_a_success(registry: Registry) -> None:
    registry.ecr.refusal = EcrError("ImageAlreadyExistsException", "It is there.")
    assert registry.ask("PUT", "/v2/api/manifests/1", MANIFEST).status == 201


def test_a_manifest_under_the_digest_of_another_is_refused(registry: Registry) -> None:
    wrong = f"sha256:{'0' * 64}"
    assert registry.refusal("PUT", f"/v2/api/manifests/{wrong}", MANIFEST)[:2] == (400, "DIGEST_INVALID")


def test_layers_come_from_the_storage_and_go_there(registry: Registry) -> None:
    for method, path in (("GET", f"blobs/{DIGEST}"), ("HEAD", f"blobs/{DIGEST}"), ("POST", "blobs/uploads/")):
        answer = registry.ask(method, f"/v2/api/{path}")
        assert answer.status == 307
        assert headers(answer)["location"] == f"http://storage/v2/000000000001/{REGION}/api/{path}"


@pytest.mark.parametrize(
    ("method", "path", "operations"),
    [
        ("HEAD", f"blobs/{DIGEST}", ["BatchCheckLayerAvailability"]),
        ("GET", f"blobs/{DIGEST}", ["GetDownloadUrlForLayer"]),
        ("POST", "blobs/uploads/", ["InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"]),
        ("GET", "manifests/1", ["BatchGetImage"]),
        ("PUT", "manifests/1", ["PutImage"]),
    ],
)
def test_docker_does_what_whoever_logged_in_may(
    registry: Registry, method: str, path: str, operations: list[str]
) -> None:
    registry.ask(method, f"/v2/api/{path}", MANIFEST)
    assert registry.ecr.calls == operations
    registry.ecr.refusal = EcrError("AccessDeniedException", "is not authorized")
    assert registry.refusal(method, f"/v2/api/{path}", MANIFEST) == (403, "DENIED", "is not authorized")


def test_without_a_login_the_client_is_asked_for_one(registry: Registry) -> None:
    answer = registry.ask("GET", "/v2/", Authorization="Basic bm90aGluZw==")
    assert answer.status == 401
    assert headers(answer)["www-authenticate"].startswith('Basic realm="http://127.0.0.1:1/"')
    assert registry.ask("GET", "/v2/").status == 200


def test_an_expired_token_is_refused_in_ecrs_words(registry: Registry) -> None:
    words = "Your authorization token has expired. Reauthenticate and try again."
    assert registry.refusal("GET", "/v2/", expires=NOW) == (403, "DENIED", words)


def test_a_storage_that_cannot_start_says_why(registry: Registry) -> None:
    registry.storage.fault = StorageFailed("no Docker engine answers")
    refused = registry.refusal("POST", "/v2/api/blobs/uploads/")
    assert refused == (503, "UNAVAILABLE", "The registry cannot answer: no Docker engine answers")


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_what_the_registry_does_not_do_is_refused(registry: Registry, method: str) -> None:
    assert registry.refusal(method, "/v2/api/manifests/1")[:2] == (405, "UNSUPPORTED")
