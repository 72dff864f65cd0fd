"""The roles that a call passes because of the task definition that it names.

AWS documents it of RegisterTaskDefinition alone. Whoever starts tasks of a definition has to be allowed to pass its
roles too: https://github.com/aws/serverless-application-model/issues/2247 shows it of RunTask, and
https://github.com/keidarcy/e1s/issues/429 of UpdateService. That it is so of CreateService is *inferred*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sim.aws.api_call import ApiCall
from sim.aws.iam.needs import Destination, Need, Parameters
from sim.aws.iam.operations import TASK_ROLES

_STARTING: Final = frozenset({"CreateService", "RunTask", "StartTask", "UpdateService"})

Definition = Callable[[str, str, str], Mapping[str, Any]]
"""The settings of a task definition, by account, region and name; nothing if there is none, which ECS will say."""


def passing(definition: Definition, call: ApiCall, parameters: Parameters, destination: Destination) -> list[Need]:
    """What a call needs to pass the roles of the task definition that it names, or those that override them."""
    name = parameters.get("taskDefinition")
    if call.service != "ecs" or call.operation not in _STARTING or not name:
        return []
    settings = definition(destination.account, destination.region, str(name))
    return TASK_ROLES({**settings, **(parameters.get("overrides") or {})}, destination)
