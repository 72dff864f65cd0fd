"""The front of the registry: it answers Docker, by what ECR's API says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

from sim.aws.ecr_authorization import Login, NotAuthorized, RegistryAccess, TokenExpired, login_of
from sim.cloud.http import Request, Response, ServerConnection, UpstreamLost, ask_once
from sim.cloud.registry import answers
from sim.cloud.registry.answers import EcrError, Refused
from sim.cloud.registry.routes import Blob, Manifest, Tags, Version, route, stored
from sim.cloud.registry.storage import Storage, StorageFailed

_API: Final = "AmazonEC2ContainerRegistry_V20150921"
_OK: Final = 200
_CREATED: Final = 201
_READS: Final = frozenset({b"GET", b"HEAD"})
_OF_LAYERS: Final = {
    b"HEAD": ("BatchCheckLayerAvailability",),
    b"GET": ("GetDownloadUrlForLayer",),
    # The storage takes what follows, so all three are asked about when an upload begins.
    b"POST": ("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"),
}
"""The operations that a request about a layer is: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/"""


class Ecr:
    """ECR's API, at the address of the local cloud."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    async def call(self, login: Login, operation: str, **parameters: object) -> dict[str, Any]:
        """Calls an operation as whoever logged in. Raises EcrError; OSError or UpstreamLost without an answer."""
        # The local cloud reads key, region and service here, and compares no signature.
        credential = f"{login.key}/20000101/{login.registry.region}/ecr/aws4_request"
        headers = {
            "Host": "ecr",
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{_API}.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        }
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        request = Request(b"POST", b"/", fields, json.dumps(parameters).encode())
        return await self._asked(request)

    async def check(self, login: Login, operation: str, repository: str) -> None:
        """Raises EcrError if whoever logged in may not do this with layers; OSError or UpstreamLost as above."""
        path = login.of_layers(operation, repository).encode()
        await self._asked(Request(b"GET", path, [(b"Host", b"ecr")], b""))

    async def _asked(self, request: Request) -> dict[str, Any]:
        answer = await ask_once(self._address, request)
        try:
            body: dict[str, Any] = json.loads(answer.body)
        except ValueError:
            raise EcrError("ServerException", f"ECR's API answered {answer.status}, and no JSON") from None
        if answer.status != _OK:
            code = str(body.get("__type") or body.get("code") or "ServerException").rpartition("#")[2]
            raise EcrError(code, str(body.get("message") or body.get("Message") or code))
        return body


class Front:
    """Answers requests of the registry's protocol. `now` returns the Unix time, against which tokens expire."""

    def __init__(self, access: RegistryAccess, ecr: Ecr, storage: Storage, now: Callable[[], float]) -> None:
        self._access = access
        self._ecr = ecr
        self._storage = storage
        self._now = now

    async def answer(self, request: Request) -> Response:
        """The answer to a request. It never raises for what a client or a part behind it does wrong."""
        try:
            authorization = request.fields().get("authorization", "")
            login = login_of(authorization, self._now(), self._access.secret)
            return await self._answer(login, request)
        except (EcrError, NotAuthorized, TokenExpired) as error:
            return answers.refused(error).response(self._access.address)
        except Refused as refused:
            return refused.response(self._access.address)
        except (OSError, UpstreamLost, StorageFailed) as error:
            return Refused(503, "UNAVAILABLE", f"The registry cannot answer: {error}").response(self._access.address)

    async def _answer(self, login: Login, request: Request) -> Response:
        target = request.target.decode("latin-1")
        match route(target):
            case Version():
                return answers.version()
            case Tags(repository) if request.method in _READS:
                listed = await self._ecr.call(login, "ListImages", repositoryName=repository)
                return answers.tags(repository, listed)
            case Manifest(repository, reference) as wanted if request.method in _READS:
                key = "imageDigest" if wanted.by_digest else "imageTag"
                found = await self._ecr.call(
                    login, "BatchGetImage", repositoryName=repository, imageIds=[{key: reference}]
                )
                return answers.manifest(repository, reference, found, head=request.method == b"HEAD")
            case Manifest() as wanted if request.method == b"PUT":
                return await self._put(login, wanted, request)
            case Blob(repository, path) if request.method in _OF_LAYERS:
                for operation in _OF_LAYERS[request.method]:
                    await self._ecr.check(login, operation, repository)
                await self._insist(login, repository)
                return answers.elsewhere(self._storage.url + stored(login.registry, repository, path))
            case _:
                method = request.method.decode("latin-1")
                raise Refused(405, "UNSUPPORTED", f"{method} {target} is nothing that this registry does")

    async def _insist(self, login: Login, repository: str) -> None:
        """Raises EcrError if there is no such repository. The registry itself asks, so no role has to be allowed to."""
        itself = Login(login.registry, login.registry.account)
        await self._ecr.call(itself, "DescribeRepositories", repositoryNames=[repository])
        await self._storage.ready()

    async def _put(self, login: Login, wanted: Manifest, request: Request) -> Response:
        """Takes a manifest: the storage first, which checks that the blobs are there, and then ECR's PutImage.

        Tags are in ECR alone, since its API moves and removes them too.
        """
        await self._insist(login, wanted.repository)
        digest = answers.digest_of(request.body)
        if wanted.by_digest and wanted.reference != digest:
            raise Refused(400, "DIGEST_INVALID", f"The manifest's digest is {digest}, not {wanted.reference}")
        stored_answer = await self._storage.ask(
            request, stored(login.registry, wanted.repository, f"manifests/{digest}")
        )
        if stored_answer.status != _CREATED:
            return stored_answer
        try:
            await self._ecr.call(
                login,
                "PutImage",
                repositoryName=wanted.repository,
                imageManifest=request.body.decode(),
                imageManifestMediaType=request.fields().get("content-type", ""),
                imageDigest=digest,
                **({} if wanted.by_digest else {"imageTag": wanted.reference}),
            )
        except EcrError as error:
            # Docker pushes what is there already without an error.
            if error.code != "ImageAlreadyExistsException":
                raise
        return answers.accepted(wanted.repository, digest)


class RegistryConnection(ServerConnection):
    """A connection of Docker."""

    def __init__(self, front: Front) -> None:
        super().__init__()
        self._front = front
        self._task: asyncio.Task[None] | None = None

    def handle(self, request: Request) -> None:
        self._task = asyncio.get_running_loop().create_task(self._reply(request))

    async def _reply(self, request: Request) -> None:
        self.send(await self._front.answer(request))
