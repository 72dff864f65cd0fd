"""What the registry answers, and how it refuses: ECR's own words in the protocol's form. Pure.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from sim.aws.ecr_authorization import NotAuthorized, TokenExpired
from sim.cloud.http import Response
from sim.cloud.registry.source_image import source_of

_VERSION: Final = (b"Docker-Distribution-Api-Version", b"registry/2.0")
_JSON: Final = (b"Content-Type", b"application/json; charset=utf-8")
_CODES: Final = {
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "AccessDeniedException": (403, "DENIED"),
    "InvalidParameterException": (400, "MANIFEST_INVALID"),
}
"""The status and the code with which the registry passes on an error of ECR's API."""


class EcrError(Exception):
    """An error that ECR's API has answered."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Refused(Exception):
    """A request that the registry does not fulfil, with an error code of the protocol."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self, address: str) -> Response:
        """The answer of the registry at `address`."""
        headers = [_VERSION, _JSON]
        if self.status == 401:  # noqa: PLR2004 - Unauthorized
            realm = f'Basic realm="http://{address}/",service="ecr.amazonaws.com"'
            headers.append((b"WWW-Authenticate", realm.encode()))
        return Response(self.status, headers, _errors(self.code, str(self)))


def refused(error: EcrError | NotAuthorized | TokenExpired) -> Refused:
    """The refusal that an error leads to."""
    match error:
        case NotAuthorized():
            return Refused(401, "UNAUTHORIZED", "authentication required")
        case TokenExpired():
            return Refused(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
        case EcrError():
            status, code = _CODES.get(error.code, (500, "UNKNOWN"))
            return Refused(status, code, error.message)


def version() -> Response:
    """The answer to a client that may use the registry."""
    return Response(200, [_VERSION, _JSON], b"{}")


def manifest(repository: str, reference: str, found: Mapping[str, Any], *, head: bool) -> Response:
    """The manifest of an image that BatchGetImage has answered for. Raises Refused if that found none.

    Also if the manifest names the source of a version, which only runs as a process.
    """
    if not found["images"]:
        raise Refused(404, "MANIFEST_UNKNOWN", f"Requested image not found: {repository} has no {reference}")
    image = found["images"][0]
    if source := source_of(image["imageManifest"]):
        raise Refused(
            404,
            "MANIFEST_UNKNOWN",
            f"{repository} has {reference}, but as the source {source}, which only runs as a process: "
            "push an image under another version",
        )
    body = image["imageManifest"].encode()
    headers = [_VERSION, (b"Content-Type", image["imageManifestMediaType"].encode()), _digest(digest_of(body))]
    return Response(200, [*headers, (b"Content-Length", b"%d" % len(body))] if head else headers, body)


def accepted(repository: str, digest: str) -> Response:
    """The answer to a manifest that the repository has now."""
    location = f"/v2/{repository}/manifests/{digest}"
    return Response(201, [_VERSION, (b"Location", location.encode()), _digest(digest)], b"")


def elsewhere(url: str) -> Response:
    """The answer that sends the client to where the bytes are."""
    return Response(307, [_VERSION, (b"Location", url.encode())], b"")


def tags(repository: str, listed: Mapping[str, Any]) -> Response:
    """The list of tags out of what ListImages has answered."""
    names = sorted({each["imageTag"] for each in listed["imageIds"] if "imageTag" in each})
    return Response(200, [_VERSION, _JSON], json.dumps({"name": repository, "tags": names}).encode())


def digest_of(manifest: bytes) -> str:
    """The digest of a manifest."""
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def _digest(digest: str) -> tuple[bytes, bytes]:
    return b"Docker-Content-Digest", digest.encode()


def _errors(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()
