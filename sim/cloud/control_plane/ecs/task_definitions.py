"""Task definitions: families of numbered revisions.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sim.cloud.control_plane.call import AwsError, Values
from sim.cloud.control_plane.ecs.services import constraints
from sim.cluster import task_definitions

_DEFAULTS: Values = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}
_DEFAULT_PORT_MAPPING: Values = {"hostPort": 0, "protocol": "tcp"}


@dataclass(frozen=True)
class TaskDefinition:
    """One revision. `settings` are the parameters it was registered with, completed with AWS's defaults."""

    arn: str
    family: str
    revision: int
    settings: Values
    tags: dict[str, str]
    registered_at: datetime
    status: str = "ACTIVE"
    deregistered_at: datetime | None = None

    @cached_property
    def as_json(self) -> Values:
        """The revision as DescribeTaskDefinition's JSON has it, with times in seconds since 1970."""
        values: Values = _json(self.describe())
        return values

    def scheduled(self) -> task_definitions.TaskDefinition:
        """The revision as the service scheduler knows it."""
        return task_definitions.registered(self.arn, self.settings)

    def describe(self) -> Values:
        """The revision as DescribeTaskDefinition returns it."""
        requires = self.settings.get("requiresCompatibilities") or []
        ended = {"deregisteredAt": self.deregistered_at} if self.deregistered_at else {}
        return {
            "taskDefinitionArn": self.arn,
            "family": self.family,
            "revision": self.revision,
            "status": self.status,
            "volumes": [],
            "placementConstraints": [],
            "compatibilities": sorted({"EC2", *requires}),
            "registeredAt": self.registered_at,
            **self.settings,
            **ended,
        }


@dataclass
class TaskDefinitions:
    """All task definitions of one account and region, by family and revision."""

    families: dict[str, dict[int, TaskDefinition]] = field(default_factory=dict)

    def register(
        self, arn_prefix: str, parameters: Mapping[str, Any], tags: dict[str, str], now: datetime
    ) -> TaskDefinition:
        """Adds a revision to its family. Raises AwsError: ClientException, InvalidParameterException."""
        settings = {name: value for name, value in parameters.items() if name not in {"family", "tags"}}
        definitions = parameters.get("containerDefinitions")
        settings["containerDefinitions"] = _containers(definitions, parameters.get("memory"))
        constraints(settings.get("placementConstraints"))
        settings["requiresAttributes"] = [{"name": each} for each in task_definitions.required_attributes(settings)]
        family = str(parameters["family"])
        revisions = self.families.setdefault(family, {})
        revision = max(revisions, default=0) + 1
        made = TaskDefinition(f"{arn_prefix}{family}:{revision}", family, revision, settings, tags, now)
        revisions[revision] = made
        return made

    def find(self, name: str) -> TaskDefinition:
        """Finds a revision by ARN or family:revision; given a family, its latest ACTIVE one.

        Raises AwsError: ClientException.
        """
        family, _, revision = name.rpartition("/")[2].partition(":")
        revisions = self.families.get(family, {})
        if revision:
            found = revisions.get(int(revision)) if revision.isdigit() else None
        else:
            found = max((each for each in revisions.values() if each.status == "ACTIVE"), key=_revision, default=None)
        if found is None:
            raise AwsError("ClientException", "Unable to describe task definition.")
        return found

    def deregister(self, name: str, now: datetime) -> TaskDefinition:
        """Makes a revision INACTIVE. Its tasks continue to run. Raises AwsError: ClientException."""
        return self._put(replace(self._exactly(name), status="INACTIVE", deregistered_at=now))

    def delete(self, name: str) -> TaskDefinition:
        """Begins the deletion of an INACTIVE revision. Its tasks continue to run. Raises AwsError: ClientException."""
        found = self._exactly(name)
        if found.status == "ACTIVE":
            raise AwsError("ClientException", "The specified task definition is still in ACTIVE status.")
        return self._put(replace(found, status="DELETE_IN_PROGRESS"))

    def retag(self, name: str, tags: dict[str, str]) -> None:
        """Replaces the tags of a revision. Raises AwsError: ClientException."""
        self._put(replace(self._exactly(name), tags=tags))

    def listed(self, family: str | None, status: str) -> list[TaskDefinition]:
        """The revisions with this status, of one family or of all, sorted by family and revision."""
        chosen = sorted(self.families) if family is None else [family]
        return [
            each
            for name in chosen
            for each in sorted(self.families.get(name, {}).values(), key=_revision)
            if each.status == status
        ]

    def _exactly(self, name: str) -> TaskDefinition:
        if ":" not in name.rpartition("/")[2]:
            raise AwsError("ClientException", "Revision is missing.")
        return self.find(name)

    def _put(self, definition: TaskDefinition) -> TaskDefinition:
        self.families[definition.family][definition.revision] = definition
        return definition


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Mapping):
        return {name: _json(each) for name, each in value.items()}
    return [_json(each) for each in value] if isinstance(value, list) else value


def _revision(definition: TaskDefinition) -> int:
    return definition.revision


def _containers(definitions: object, task_memory: object) -> list[Values]:
    if not isinstance(definitions, list) or not definitions:
        raise AwsError("ClientException", "Container list cannot be empty.")
    filled = [_container(each, task_memory) for each in definitions]
    if not any(each["essential"] for each in filled):
        raise AwsError("ClientException", "At least one container should be essential.")
    return filled


def _container(definition: Values, task_memory: object) -> Values:
    for name in ("name", "image"):
        if not definition.get(name):
            raise AwsError("ClientException", f"Container.{name} should not be null or empty.")
    limit, reservation = definition.get("memory"), definition.get("memoryReservation")
    if not (limit or reservation or task_memory):
        raise AwsError(
            "ClientException",
            f"Invalid setting for container '{definition['name']}'. "
            "At least one of 'memory' or 'memoryReservation' must be specified.",
        )
    if limit and reservation and reservation > limit:
        raise AwsError(
            "ClientException",
            f"Invalid setting for container '{definition['name']}'. "
            "The 'memory' must be greater than or equal to 'memoryReservation'.",
        )
    mappings = [_DEFAULT_PORT_MAPPING | mapping for mapping in definition.get("portMappings") or []]
    return {**_DEFAULTS, **definition, "portMappings": mappings}
