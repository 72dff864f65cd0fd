"""What the applied roots give the services: the environment that their task definitions have in AWS."""

from __future__ import annotations

from typing import Any

from sim.cloud.aws_client import local_session
from sim.cloud.resources import Provisioned, Resources
from sim.terraform.local_roots import Environment


def applied(environment: Environment, endpoint: str) -> Provisioned:
    """Asks AWS for the task definitions that the roots of the services name. Raises CommandFailed."""
    ecs = local_session().client("ecs", endpoint_url=endpoint)
    settings = {service: _settings(ecs, environment, service) for service in ("api", "worker")}
    return Provisioned(
        Resources(
            queue_url=settings["api"]["QUEUE_URL"],
            dead_letter_queue_url=str(environment.root("messaging").outputs()["dead_letter_queue_url"]),
            bucket=settings["worker"]["BUCKET"],
            prefix=settings["worker"]["PREFIX"],
            token_parameter=settings["api"]["TOKEN_PARAMETER"],
        ),
        settings,
    )


def _settings(ecs: Any, environment: Environment, service: str) -> dict[str, str]:
    arn = environment.root(f"services/{service}").outputs()["task_definition_arn"]
    definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    [container] = [each for each in definition["containerDefinitions"] if each["name"] == service]
    return {each["name"]: each["value"] for each in container["environment"]}
