"""Plans and states made by hand, in the shape of `terraform show -json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONTAINER = {
    "name": "app",
    "cpu": 256,
    "memory": 512,
    "essential": True,
    "portMappings": [{"containerPort": 8080, "hostPort": 8080}],
}


def state(*resources: Mapping[str, Any]) -> str:
    """A state: each resource has address, type and values."""
    held = [{"mode": "managed", **each} for each in resources]
    # One of them in a module, as in most projects.
    module = {"resources": held[1:], "child_modules": [{"address": "module.a", "resources": held[:1]}]}
    return json.dumps({"format_version": "1.0", "values": {"root_module": module}})


def resource(address: str, **values: Any) -> dict[str, Any]:
    """One resource of a state."""
    return {"address": address, "type": address.split(".")[-2], "values": values}


def service(**changes: Any) -> dict[str, Any]:
    """A service `app` of two tasks behind the Classic ELB `web`."""
    usual: dict[str, Any] = {
        "name": "app",
        "desired_count": 2,
        "launch_type": "EC2",
        "deployment_minimum_healthy_percent": 100,
        "deployment_maximum_percent": 150,
        "health_check_grace_period_seconds": 60,
        "task_definition": "arn:aws:ecs:eu-west-1:1:task-definition/app:3",
        "load_balancer": [{"elb_name": "web", "container_name": "app", "container_port": 8080}],
    }
    return resource("aws_ecs_service.app", **(usual | changes))


def definition(**changes: Any) -> dict[str, Any]:
    """Its task definition."""
    arn = "arn:aws:ecs:eu-west-1:1:task-definition/app:3"
    containers = changes.pop("containers", [CONTAINER])
    return resource(
        "aws_ecs_task_definition.app",
        **({"arn": arn, "family": "app", "container_definitions": json.dumps(containers)} | changes),
    )


def elb(**changes: Any) -> dict[str, Any]:
    """Its load balancer."""
    check = {"target": "HTTP:8080/", "interval": 5, "timeout": 3, "healthy_threshold": 2, "unhealthy_threshold": 2}
    usual = {
        "name": "web",
        "connection_draining": True,
        "connection_draining_timeout": 60,
        "cross_zone_load_balancing": True,
        "health_check": [check],
    }
    return resource("aws_elb.web", **(usual | changes))


def group(size: int = 3, **changes: Any) -> dict[str, Any]:
    """An Auto Scaling group of t3.small."""
    usual = {"name": "hosts", "arn": "arn:asg", "min_size": size, "max_size": size, "desired_capacity": size}
    return resource("aws_autoscaling_group.hosts", **(usual | {"launch_template": [{"id": "lt-1"}]} | changes))


def template() -> dict[str, Any]:
    """Its launch template."""
    return resource("aws_launch_template.hosts", id="lt-1", name="hosts", instance_type="t3.small")


def project(size: int = 3, **of_service: Any) -> str:
    """A whole state: two tasks on three instances at 100/150."""
    return state(service(**of_service), definition(), elb(), group(size), template())


def neighbour(memory: int, name: str = "worker", **of_service: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A service without a load balancer, three tasks of so many MiB, and its task definition."""
    arn = f"arn:aws:ecs:eu-west-1:1:task-definition/{name}:1"
    containers = json.dumps([{"name": name, "memory": memory}])
    usual = {"name": name, "desired_count": 3, "launch_type": "EC2", "task_definition": arn}
    return (
        resource(f"aws_ecs_service.{name}", **(usual | of_service)),
        resource(f"aws_ecs_task_definition.{name}", arn=arn, family=name, container_definitions=containers),
    )


def written(folder: Path, text: str, name: str = "state.json") -> Path:
    """A file with the text."""
    path = folder / name
    path.write_text(text)
    return path
