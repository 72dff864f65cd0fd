"""Operations on task definitions."""

from __future__ import annotations

import logging
from typing import Final

from sim.cloud.control_plane.call import AwsError, Call, Operations, Values, moment
from sim.cloud.control_plane.ecs.state import States, Surroundings, as_tags, page, tags_of, wants_tags
from sim.cluster.container_check import container_check
from sim.cluster.task_definition_fields import not_done

_LOG: Final = logging.getLogger(__name__)


class TaskDefinitionOperations:
    """Handles the operations on the task definitions of the caller's account and region."""

    def __init__(self, states: States, around: Surroundings) -> None:
        self._states = states
        self._around = around
        self.operations: Operations = {
            "DeleteTaskDefinitions": self.delete,
            "DeregisterTaskDefinition": self.deregister,
            "DescribeTaskDefinition": self.describe,
            "ListTaskDefinitionFamilies": self.families,
            "ListTaskDefinitions": self.list,
            "RegisterTaskDefinition": self.register,
        }

    def register(self, call: Call) -> Values:
        """Refuses a health check that would come before its time-out is over. Raises AwsError: ClientException."""
        for container in call.parameters.get("containerDefinitions") or ():
            check = container_check(container)
            if check and (wrong := self._around.clock.too_fast(check.interval, check.timeout)):
                raise AwsError("ClientException", wrong)
        tags = tags_of(call.parameters.get("tags"))
        prefix = call.arn("ecs", "task-definition/")
        made = self._states.of(call).definitions.register(prefix, call.parameters, tags, moment(self._around.now()))
        for each in not_done(call.parameters, "containers"):
            _LOG.warning("%s asks for what the local agents do not do: %s", made.arn, each)
        return {"taskDefinition": made.describe(), "tags": as_tags(tags)}

    def describe(self, call: Call) -> Values:
        found = self._states.of(call).definitions.find(call.parameters["taskDefinition"])
        tags = {"tags": as_tags(found.tags)} if wants_tags(call) else {}
        return {"taskDefinition": found.describe(), **tags}

    def deregister(self, call: Call) -> Values:
        name = call.parameters["taskDefinition"]
        return {
            "taskDefinition": self._states.of(call).definitions.deregister(name, moment(self._around.now())).describe()
        }

    def delete(self, call: Call) -> Values:
        deleted: list[Values] = []
        failures: list[Values] = []
        for name in call.parameters["taskDefinitions"]:
            try:
                deleted.append(self._states.of(call).definitions.delete(name).describe())
            except AwsError as error:
                failures.append({"arn": name, "reason": error.message})
        return {"taskDefinitions": deleted, "failures": failures}

    def list(self, call: Call) -> Values:
        asked = call.parameters
        found = self._states.of(call).definitions.listed(asked.get("familyPrefix"), asked.get("status") or "ACTIVE")
        return page(
            call, "taskDefinitionArns", [each.arn for each in found][:: -1 if asked.get("sort") == "DESC" else 1]
        )

    def families(self, call: Call) -> Values:
        prefix = call.parameters.get("familyPrefix") or ""
        status = call.parameters.get("status") or "ACTIVE"
        definitions = self._states.of(call).definitions
        active = {each.family for each in definitions.listed(None, "ACTIVE")}
        known = active | {each.family for each in definitions.listed(None, "INACTIVE")}
        chosen = {
            "ACTIVE": active,
            "INACTIVE": known - active,
            "ALL": known,
        }[status]
        return page(call, "families", sorted(each for each in chosen if each.startswith(prefix)))
