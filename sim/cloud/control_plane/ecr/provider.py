"""Corrections to moto's ECR: an image has its manifest's digest, and Docker finds the registry (`sim.cloud.registry`).

Without a registry there is no token to log in with, and a repository's URI is the one that it would have in AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sim.aws.ecr_authorization import SECONDS, Login, PrivateRegistry, RegistryAccess, issue
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.ecr.models import manifest_digest


class Ecr:
    """ECR in front of a registry that Docker can reach; None if there is none."""

    def __init__(self, registry: RegistryAccess | None, now: Callable[[], datetime]) -> None:
        self._registry = registry
        self._now = now
        self.operations: Operations = {
            "CreateRepository": lambda call: self._with_uri(call, "repository"),
            "DeleteRepository": lambda call: self._with_uri(call, "repository"),
            "DescribeRepositories": lambda call: self._with_uri(call, "repositories"),
            "GetAuthorizationToken": self.authorization_token,
            "PutImage": put_image,
        }

    def authorization_token(self, call: Call) -> Values:
        if self._registry is None:
            raise AwsError(
                "ServerException",
                "This local cloud has no registry to log in to. The target docker has one, and so has `sim up` on "
                "Linux where there is Docker: docs/control-plane.md says why.",
            )
        expires = (self._now() + timedelta(seconds=SECONDS)).replace(microsecond=0)
        login = Login(PrivateRegistry(call.account, call.region), call.key or call.account)
        token = issue(login, int(expires.timestamp()), self._registry.secret)
        endpoint = f"http://{self._registry.address}"
        return {
            "authorizationData": [
                {"authorizationToken": token, "expiresAt": expires.astimezone(UTC), "proxyEndpoint": endpoint}
            ]
        }

    def _with_uri(self, call: Call, key: str) -> Values:
        """moto's answer, whose repositories have URIs that Docker can reach."""
        answer = call.forward()
        if self._registry is not None:
            for repository in [answer[key]] if key == "repository" else answer[key]:
                repository["repositoryUri"] = f"{self._registry.address}/{repository['repositoryName']}"
        return answer


def put_image(call: Call) -> Values:
    manifest = call.parameters["imageManifest"]
    digest = manifest_digest(manifest, call.parameters.get("imageDigest"))
    _refuse_to_move(call, digest)
    return call.forward("PutImage", call.parameters | {"imageDigest": digest})


def _refuse_to_move(call: Call, digest: str) -> None:
    """Raises AwsError, ImageTagAlreadyExistsException, if the tag is immutable and another image has it."""
    name, tag = call.parameters["repositoryName"], call.parameters.get("imageTag")
    if not tag or _repository(call)["imageTagMutability"] != "IMMUTABLE":
        return
    named = call.forward("BatchGetImage", {"repositoryName": name, "imageIds": [{"imageTag": tag}]})["images"]
    if any(each["imageId"]["imageDigest"] != digest for each in named):
        raise AwsError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten "
            "because the tag is immutable.",
        )


def _repository(call: Call) -> Values:
    """moto's description of the repository that the call names. Raises RepositoryNotFoundException."""
    named = {"repositoryNames": [call.parameters["repositoryName"]]}
    found: Values = call.forward("DescribeRepositories", named)["repositories"][0]
    return found
