"""What a person wants to know of one task: what it is set to, and what it logs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sim.aws.arn import last_part
from sim.cloud.aws_client import REGION, local_session
from sim.cloud.permissions import Row, reports, rows
from sim.errors import SimError
from sim.stack.lifecycle import Stack
from sim.watch.cluster import state_of
from sim.watch.observed import Described, Observation

LINES: Final = 200
"""Of a log, the newest."""
_BYTES: Final = 60_000
_SECRET: Final = re.compile(r"(SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|ACCESS_KEY|API_KEY|TOKEN)S?(_|$)")
_NAMES_ONLY: Final = re.compile(r"_(PARAMETER|ARN|NAME|SECONDS|URL|FILE)$")
HIDDEN: Final = "(not shown)"


class NoSuchTask(SimError):
    """The picture has no task of this name."""


@dataclass(frozen=True)
class Container:
    """A container of a task. `secrets` has where each comes from, never what it is."""

    name: str
    image: str
    state: str
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    log: Sequence[str]


@dataclass(frozen=True)
class TaskDetail:
    """A task, in AWS's words. `permissions` are those that the tasks of its role used or were denied so far."""

    definition: str
    started: str
    containers: Sequence[Container]
    permissions: Sequence[Row] = ()


def environment(container: Described) -> dict[str, str]:
    """The variables of a container definition. The value of one that is named like a secret is hidden."""
    variables = {str(each["name"]): str(each["value"]) for each in container.get("environment", ())}
    return {name: HIDDEN if is_secret(name) else value for name, value in sorted(variables.items())}


def is_secret(name: str) -> bool:
    """True if a variable of this name may hold a secret, and not only say where one is."""
    return _SECRET.search(name.upper()) is not None and _NAMES_ONLY.search(name.upper()) is None


def of_task(stack: Stack, seen: Observation, name: str) -> TaskDetail:
    """The details of a task of the picture. Raises NoSuchTask, or what boto3 raises."""
    if seen.cluster is None:
        return _of_part(stack, seen, name)
    task = next((each for each in seen.cluster.tasks if last_part(each["taskArn"]) == name), None)
    if task is None:
        raise NoSuchTask(f"there is no task {name!r} any more")
    logs: Any = local_session(region=stack.cluster.region if stack.cluster else REGION).client(
        "logs", endpoint_url=stack.endpoint
    )
    definition = seen.cluster.definitions[task["taskDefinitionArn"]]
    states = {each["name"]: state_of(each) for each in task["containers"]}
    return TaskDetail(
        last_part(task["taskDefinitionArn"]),
        f"{task['startedAt']:%H:%M:%S}" if "startedAt" in task else "not yet",
        [
            Container(
                each["name"],
                each["image"],
                states.get(each["name"], ""),
                environment(each),
                {secret["name"]: secret["valueFrom"] for secret in each.get("secrets", ())},
                _log(logs, each, name),
            )
            for each in definition["containerDefinitions"]
        ],
        _permissions(stack.endpoint, definition.get("taskRoleArn", "")),
    )


def _permissions(endpoint: str, role: str) -> list[Row]:
    of_role = tuple(each for each in reports(endpoint) if each.role == role)
    return [each for each in rows(of_role) if each.end != "never used"]


def _log(logs: Any, container: Described, task: str) -> list[str]:
    """The newest lines of a container with the log driver `awslogs`."""
    options = container.get("logConfiguration", {}).get("options", {})
    if "awslogs-stream-prefix" not in options:
        return []
    stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{task}"
    try:
        found = logs.get_log_events(logGroupName=options["awslogs-group"], logStreamName=stream, limit=LINES)
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [str(each["message"]) for each in found["events"]]


def _of_part(stack: Stack, seen: Observation, name: str) -> TaskDetail:
    if name not in seen.tasks:
        raise NoSuchTask(f"there is no {name!r}; there are: {', '.join(seen.tasks)}")
    log = Path(stack.parts[name].log)
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - _BYTES, 0))
        lines = file.read().decode(errors="replace").splitlines()[-LINES:]
    return TaskDetail("", "", [Container(name, "", seen.parts[name].detail, {}, {}, lines)])
