"""The agent's way to the local cloud: the desired state, what it reports, and what its tasks' secrets are.

AWS's own operations where there are any; the control plane's routes for the rest.
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError
from pydantic import ValidationError

from sim.agent.config import config, registration
from sim.agent.local import Binding
from sim.agent.logs import LogsClient
from sim.agent.messages import Connected, ContainerReport, HealthReport, Message, Ports, Register, TaskReport
from sim.agent.runtime import CannotStart
from sim.aws.arn import last_part
from sim.cloud.aws_client import local_session, role_session
from sim.cloud.desired import WAIT_SECONDS, parsed, path
from sim.cloud.registry.source_image import Source, source_of
from sim.cluster import role_keys
from sim.cluster.desired import Desired, Place
from sim.errors import SimError
from sim.host import loopback

_LOG: Final = logging.getLogger(__name__)
_MARGIN_SECONDS: Final = 10.0
_ROUTE_SECONDS: Final = 10.0
_LONGEST_REASON: Final = 1024
_CLIENTS: Final = 256
"""That are kept: some for each task, since a task's keys are its own."""


class ControlPlaneFailed(SimError):
    """The control plane did not answer, or refused."""


class ControlPlane:
    """The control plane at a URL of this machine."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._client = lru_cache(_CLIENTS)(self._new_client)

    def desired(self, after: int | None) -> Desired:
        """The desired state, once its revision is another than `after`. Raises ControlPlaneFailed."""
        body = self._asked("GET", path(after), None, WAIT_SECONDS + _MARGIN_SECONDS)
        try:
            return parsed(body)
        except ValidationError as error:
            raise ControlPlaneFailed(f"the control plane's desired state cannot be read: {error}") from None

    def send(self, message: Message) -> None:
        """Raises ControlPlaneFailed."""
        try:
            match message:
                case Register():
                    parameters = registration(message.instance, config(message.instance.user_data))
                    self._of_instance("ecs", message.instance.id, message.instance.place).register_container_instance(
                        **parameters
                    )
                case TaskReport():
                    self._submit(message)
                case Connected():
                    self._put(message.place, f"ec2/{message.instance}/connected", {"connected": True})
                case Ports():
                    self._put(message.place, f"ec2/{message.instance}/ports", dict(message.table))
                case HealthReport():
                    cluster, task = quote(last_part(message.cluster)), quote(last_part(message.task))
                    health = {"healthStatus": message.health, "containers": dict(message.containers)}
                    self._put(message.place, f"ecs/{cluster}/tasks/{task}/health", health)
        except (BotoCoreError, ClientError) as error:
            raise ControlPlaneFailed(f"{message.subject}: {error}") from None

    def disconnect(self, instance: str, place: Place) -> None:
        """The agent of an instance runs no longer. Raises ControlPlaneFailed."""
        self._put(place, f"ec2/{instance}/connected", {"connected": False})

    def publish(self, place: Place, namespace: str, data: list[dict[str, Any]]) -> None:
        """Publishes what tasks and instances use. Raises ControlPlaneFailed."""
        try:
            self.client("cloudwatch", place).put_metric_data(Namespace=namespace, MetricData=data)
        except (BotoCoreError, ClientError) as error:
            raise ControlPlaneFailed(f"metrics of {namespace}: {error}") from None

    def client(self, service: str, place: Place, keys: str = "") -> Any:
        """A client of boto3 for an AWS service in a place. `keys` is the path of the keys with which it signs.

        It signs as the account where there is no path, or no keys at it: an instance without a profile has none.
        Raises CredentialRetrievalError, an error of botocore's, if the control plane hands out no keys.
        """
        return self._client(service, place, keys)

    def logs(self, place: Place, keys: str) -> LogsClient:
        """A client for CloudWatch Logs."""
        client: LogsClient = self.client("logs", place, keys)
        return client

    def login(self, image: str, place: Place, keys: str) -> Mapping[str, str] | None:
        """A username and a password for the image's registry, if it is the place's ECR; None for another one.

        Raises CannotStart if the caller may not log in.
        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
        """
        tokens = self._tokens(place, keys)
        server = image.partition("/")[0]
        for each in tokens:
            if urlsplit(each["proxyEndpoint"]).netloc == server:
                username, _, password = b64decode(each["authorizationToken"]).decode().partition(":")
                return {"username": username, "password": password}
        return None

    def source(self, image: str, place: Place, keys: str) -> Source | None:
        """What is registered as a version in ECR, in place of an image. None if ECR has no such repository.

        Raises CannotStart if the repository does not have the image, or if the caller may not pull it.
        """
        name, at, digest = image.partition("@")
        server_and_path, colon, tag = name.rpartition(":")
        has_tag = bool(colon) and "/" not in tag
        uri = server_and_path if has_tag else name
        try:
            repository = self._repository(uri, place)
            if repository is None:
                return None
            # As before each pull.
            self._tokens(place, keys)
            identity = {"imageDigest": digest} if at else {"imageTag": tag if has_tag else "latest"}
            ecr = self.client("ecr", place, keys)
            found = ecr.batch_get_image(repositoryName=repository, imageIds=[identity])["images"]
        except (BotoCoreError, ClientError) as error:
            raise CannotStart(f"CannotPullContainerError: {error}") from None
        if not found:
            raise CannotStart(
                f"CannotPullContainerError: Error response from daemon: manifest for {image} not found: "
                "manifest unknown: Requested image not found"
            )
        return source_of(found[0]["imageManifest"])

    def _tokens(self, place: Place, keys: str) -> Sequence[Mapping[str, str]]:
        """Of ECR; none where it has no registry. Raises CannotStart if the caller may not ask."""
        try:
            found: Sequence[Mapping[str, str]] = self.client("ecr", place, keys).get_authorization_token()[
                "authorizationData"
            ]
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "AccessDeniedException":
                raise CannotStart(f"CannotPullECRContainerError: {error}") from None
            _LOG.info("no login to ECR: %s", error)
            return ()
        return found

    def _repository(self, uri: str, place: Place) -> str | None:
        for page in self.client("ecr", place).get_paginator("describe_repositories").paginate():
            for each in page["repositories"]:
                if each["repositoryUri"] == uri:
                    return str(each["repositoryName"])
        return None

    def _new_client(self, service: str, place: Place, path: str) -> Any:
        if path and self._keys(path) is not None:
            session = role_session(lambda: self._held(path))
        else:
            session = local_session(place.account)
        # boto3's types know a client only by a literal name.
        new: Any = session.client
        return new(service, region_name=place.region, endpoint_url=self._endpoint)

    def _held(self, path: str) -> Mapping[str, str]:
        keys = self._keys(path)
        if keys is None:
            raise CredentialRetrievalError(provider=path, error_msg="there are none any more")
        return keys

    def _keys(self, path: str) -> Mapping[str, str] | None:
        """The keys at a path; None if there are none. Raises CredentialRetrievalError, which is botocore's own."""
        try:
            answer = loopback.request("GET", self._endpoint + path, seconds=_ROUTE_SECONDS)
        except loopback.NoAnswer as error:
            raise CredentialRetrievalError(provider=path, error_msg=error) from None
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise CredentialRetrievalError(provider=path, error_msg=answer.json()["message"])
        keys: Mapping[str, str] = answer.json()
        return keys

    def _of_instance(self, service: str, instance: str, place: Place) -> Any:
        return self.client(service, place, role_keys.of_instance(instance, place))

    def _submit(self, report: TaskReport) -> None:
        pulled = {} if report.pull_started_at is None else {"pullStartedAt": report.pull_started_at}
        self._of_instance("ecs", report.instance, report.place).submit_task_state_change(
            cluster=report.cluster,
            task=report.task,
            status=report.status,
            reason=report.reason[:_LONGEST_REASON],
            containers=[_change(each) for each in report.containers],
            **pulled,
        )

    def _put(self, place: Place, resource: str, body: Mapping[str, object]) -> None:
        route = f"/_sim/{place.account}/{place.region}/{resource}"
        self._asked("PUT", route, json.dumps(body).encode(), _ROUTE_SECONDS)

    def _asked(self, method: str, route: str, body: bytes | None, seconds: float) -> bytes:
        url = self._endpoint + route
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            answer = loopback.request(method, url, seconds=seconds, body=body, headers=headers)
        except loopback.NoAnswer as error:
            raise ControlPlaneFailed(str(error)) from None
        if answer.status != HTTPStatus.OK:
            raise ControlPlaneFailed(f"{method} {url}: {answer.status} {answer.data[:500].decode(errors='replace')}")
        return answer.data


def _change(container: ContainerReport) -> dict[str, Any]:
    change: dict[str, Any] = {
        "containerName": container.name,
        "status": container.status,
        "networkBindings": [_binding(each) for each in container.bindings],
    }
    if container.runtime_id:
        change["runtimeId"] = container.runtime_id
    if container.image_digest:
        change["imageDigest"] = container.image_digest
    if container.exit_code is not None:
        change["exitCode"] = container.exit_code
    if container.reason:
        change["reason"] = container.reason[:_LONGEST_REASON]
    return change


def _binding(binding: Binding) -> dict[str, Any]:
    return {
        "bindIP": "0.0.0.0",  # noqa: S104 - what an agent reports; nothing is bound
        "containerPort": binding.container_port,
        "hostPort": binding.host_port,
        "protocol": binding.protocol,
    }
