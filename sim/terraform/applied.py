"""The resources and the services' environment variables, read from the applied roots."""

from __future__ import annotations

from typing import Any

from sim.cloud.aws_client import local_session
from sim.cloud.resources import Provisioned, Resources
from sim.terraform.local_roots import LocalRoots


def applied(roots: LocalRoots, endpoint: str) -> Provisioned:
    """Reads the outputs of the roots and the services' task definitions. Raises CommandFailed."""
    ecs = local_session().client("ecs", endpoint_url=endpoint)
    settings = {service: _settings(ecs, roots, service) for service in ("api", "worker")}
    return Provisioned(
        Resources(
            queue_url=settings["api"]["QUEUE_URL"],
            dead_letter_queue_url=str(roots.root("messaging").outputs()["dead_letter_queue_url"]),
            bucket=settings["worker"]["BUCKET"],
            prefix=settings["worker"]["PREFIX"],
            token_parameter=settings["api"]["TOKEN_PARAMETER"],
        ),
        settings,
    )


def _settings(ecs: Any, roots: LocalRoots, service: str) -> dict[str, str]:
    arn = roots.root(f"services/{service}").outputs()["task_definition_arn"]
    definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    [container] = [each for each in definition["containerDefinitions"] if each["name"] == service]
    return {each["name"]: each["value"] for each in container["environment"]}
