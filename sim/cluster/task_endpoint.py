"""What a task asks about itself: the metadata endpoint, version 4, and the credentials of its role.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html

An agent gives each container the paths (`environment`), the edge answers: metadata (`answer`), and the keys of the
task that a path is of (`task_of`), which it gets of the control plane. Both know only the task, so a restart of either
changes nothing.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sim.cluster.desired import Desired, DesiredTask

LINK_LOCAL: Final = "http://169.254.170.2"
"""Where the relative paths are, for a container that can reach it."""
_SECRET: Final = "local"  # noqa: S105 - the local cloud compares none
_CREDENTIALS: Final = "/v2/credentials/"
_NOT_FOUND: Final = {
    "code": "InvalidIdInRequest",
    "message": "CredentialsV2Request: Credentials not found",
    "HTTPErrorCode": 400,
}
_LABEL: Final = "com.amazonaws.ecs."


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and a document for JSON."""

    status: int
    document: object


def environment(task: DesiredTask, container: str, base: str = LINK_LOCAL) -> Mapping[str, str]:
    """The variables by which a container of the task finds all this; `base` is the URL of the edge for it.

    At the link-local address the credentials have a relative path, elsewhere a full one: SDKs take that for loopback.
    A task without a role has its account's keys, in place of those that AWS's SDKs get of the instance's role.
    """
    metadata = {"ECS_CONTAINER_METADATA_URI_V4": f"{base}{metadata_path(task.arn, container)}"}
    if not task.role("taskRoleArn"):
        return metadata | {"AWS_ACCESS_KEY_ID": task.place.account, "AWS_SECRET_ACCESS_KEY": _SECRET}
    path = credentials_path(task.arn)
    relative = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path}
    return metadata | (relative if base == LINK_LOCAL else {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{base}{path}"})


def metadata_path(task: str, container: str) -> str:
    """Of a container of the task with this ARN."""
    return f"/v4/{_id(task)}-{hashlib.sha256(container.encode()).hexdigest()[:10]}"


def credentials_path(task: str) -> str:
    """Of the role of the task with this ARN."""
    return f"{_CREDENTIALS}{uuid.uuid5(uuid.NAMESPACE_URL, task)}"


def task_of(desired: Desired, path: str) -> DesiredTask | None:
    """The task whose role a path is of; None if there is no such task, or if it has no role."""
    found = (each for each in desired.tasks if credentials_path(each.arn) == path and each.role("taskRoleArn"))
    return next(found, None)


def answer(desired: Desired, path: str) -> Answer | None:
    """What the edge answers to a GET without asking anybody: metadata, or that there are no credentials. None if the
    path is neither."""
    if path.startswith(_CREDENTIALS):
        return Answer(400, _NOT_FOUND)
    if not path.startswith("/v4/"):
        return None
    for task in desired.tasks:
        for container in task.definition["containerDefinitions"]:
            own = metadata_path(task.arn, container["name"])
            if path == own or path.startswith(f"{own}/"):
                return _metadata(desired, task, container, path.removeprefix(own))
    return Answer(404, f"V4 metadata handler: no container has the path {path}")


def _metadata(desired: Desired, task: DesiredTask, container: Mapping[str, Any], rest: str) -> Answer:
    match rest:
        case "":
            return Answer(200, _container(task, container))
        case "/task" | "/taskWithTags":
            return Answer(200, _task(desired, task))
    return Answer(404, f"V4 metadata handler: no {rest} is kept here")


def _container(task: DesiredTask, container: Mapping[str, Any]) -> Mapping[str, Any]:
    name, definition = container["name"], task.definition
    docker = hashlib.sha256(f"{task.arn}/{name}".encode()).hexdigest()
    described = {
        "DockerId": docker,
        "Name": name,
        "DockerName": f"ecs-{definition['family']}-{definition['revision']}-{name}-{docker[:20]}",
        "Image": container["image"],
        "Labels": {
            f"{_LABEL}cluster": task.cluster,
            f"{_LABEL}container-name": name,
            f"{_LABEL}task-arn": task.arn,
            f"{_LABEL}task-definition-family": definition["family"],
            f"{_LABEL}task-definition-version": str(definition["revision"]),
        },
        "DesiredStatus": task.desired_status,
        "KnownStatus": "RUNNING",  # or else nobody would ask
        "Limits": {"CPU": container.get("cpu", 0), "Memory": container.get("memory", 0)},
        "CreatedAt": _time(task.created_at),
        "StartedAt": _time(task.created_at),
        "Type": "NORMAL",
        "Networks": [{"NetworkMode": definition.get("networkMode", "bridge"), "IPv4Addresses": []}],
    }
    log = container.get("logConfiguration")
    return described | ({"LogDriver": log["logDriver"], "LogOptions": log.get("options", {})} if log else {})


def _task(desired: Desired, task: DesiredTask) -> Mapping[str, Any]:
    zone = next((each.zone for each in desired.instances if each.container_instance == task.container_instance), "")
    kind, _, service = task.group.partition(":")
    return {
        "Cluster": task.cluster,
        "TaskARN": task.arn,
        "Family": task.definition["family"],
        "Revision": str(task.definition["revision"]),
        **({"ServiceName": service} if kind == "service" else {}),
        "DesiredStatus": task.desired_status,
        "KnownStatus": "RUNNING",
        "AvailabilityZone": zone,
        "LaunchType": "EC2",
        "Containers": [_container(task, each) for each in task.definition["containerDefinitions"]],
    }


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
