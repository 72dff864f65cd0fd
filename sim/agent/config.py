"""What an instance's user data sets for its agent, and how the agent registers the instance.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterContainerInstance.html
"""

from __future__ import annotations

import email
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from sim.cluster.container_instances import AGENT_PORTS
from sim.cluster.desired import DesiredInstance
from sim.cluster.instance_types import resources

PullBehavior = Literal["default", "always", "once", "prefer-cached"]

VERSION: Final = "1.98.0"
"""The agent that this one behaves like."""
_UNKNOWN_TYPE: Final = (2048, 3892)
"""CPU units and MiB of a type that is not in the table: those of a t3.medium."""
_ASSIGNMENT: Final = re.compile(r"""^\s*(?:export\s+)?(ECS_[A-Z_]+)=(.*)$""")
_ECHO: Final = re.compile(r"""^\s*(?:sudo\s+)?(?:echo|printf)\s+(?:-e\s+)?(.*?)\s*(?:>>?|\|\s*(?:sudo\s+)?tee\b).*$""")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LOG_DRIVERS: Final = ("awslogs", "fluentd", "gelf", "journald", "json-file", "none", "syslog")
_CAPABILITIES: Final = (
    "com.amazonaws.ecs.capability.ecr-auth",
    "com.amazonaws.ecs.capability.privileged-container",
    "com.amazonaws.ecs.capability.task-iam-role",
    *(f"com.amazonaws.ecs.capability.docker-remote-api.1.{minor}" for minor in range(17, 45)),
    *(f"com.amazonaws.ecs.capability.logging-driver.{driver}" for driver in _LOG_DRIVERS),
    "ecs.capability.container-health-check",
    "ecs.capability.container-ordering",
    "ecs.capability.execution-role-awslogs",
    "ecs.capability.execution-role-ecr-pull",
    "ecs.capability.secrets.asm.environment-variables",
    "ecs.capability.secrets.ssm.environment-variables",
)


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The agent's settings that have an effect here. Memory is in MiB, times are in seconds."""

    cluster: str = "default"
    attributes: dict[str, str] = field(default_factory=dict)
    reserved_memory: int = 0
    reserved_ports: frozenset[tuple[str, int]] = AGENT_PORTS
    pull_behavior: PullBehavior = "default"
    stop_timeout: float = 30.0
    cleanup_wait: float = 3 * 3600.0


def config(user_data: str) -> AgentConfig:
    """The settings that the user data writes to /etc/ecs/ecs.config, by a here-document, by echo, or by cloud-init.

    The user data is its text, decoded. A setting that cannot be read is as one that is not there.
    """
    found = dict(_settings(user_data))
    behavior = found.get("ECS_IMAGE_PULL_BEHAVIOR", "")
    standard = AgentConfig()
    tcp = _json(found.get("ECS_RESERVED_PORTS"), list)
    udp = _json(found.get("ECS_RESERVED_PORTS_UDP"), list) or []
    ports = AGENT_PORTS if tcp is None else {("tcp", port) for port in tcp if isinstance(port, int)}
    memory = found.get("ECS_RESERVED_MEMORY", "")
    attributes = _json(found.get("ECS_INSTANCE_ATTRIBUTES"), dict) or {}
    return AgentConfig(
        cluster=found.get("ECS_CLUSTER") or standard.cluster,
        attributes={str(name): str(value) for name, value in attributes.items()},
        reserved_memory=int(memory) if memory.isdigit() else 0,
        reserved_ports=frozenset(ports) | {("udp", port) for port in udp if isinstance(port, int)},
        pull_behavior=next((each for each in get_args(PullBehavior) if each == behavior), standard.pull_behavior),
        stop_timeout=max(1.0, duration(found.get("ECS_CONTAINER_STOP_TIMEOUT", ""), standard.stop_timeout)),
        cleanup_wait=duration(found.get("ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION", ""), standard.cleanup_wait),
    )


def duration(text: str, otherwise: float) -> float:
    """The seconds of a duration as Go writes it, such as `1m30s`; `otherwise` if it is none."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return otherwise
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def registration(instance: DesiredInstance, agent: AgentConfig) -> dict[str, Any]:
    """The parameters of RegisterContainerInstance. The memory is what the kernel leaves, without what is reserved."""
    cpu, memory = resources(instance.instance_type) or _UNKNOWN_TYPE
    identity = {
        "accountId": instance.place.account,
        "availabilityZone": instance.zone,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "privateIp": instance.address,
        "region": instance.place.region,
    }
    own = {
        "ecs.ami-id": instance.image_id,
        "ecs.availability-zone": instance.zone,
        "ecs.cpu-architecture": "x86_64",
        "ecs.instance-type": instance.instance_type,
        "ecs.os-type": "linux",
    }
    return {
        "cluster": agent.cluster,
        "instanceIdentityDocument": json.dumps(identity),
        "totalResources": [
            {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": max(0, memory - agent.reserved_memory)},
            {"name": "PORTS", "type": "STRINGSET", "stringSetValue": _ports(agent, "tcp")},
            {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": _ports(agent, "udp")},
        ],
        "versionInfo": {"agentVersion": VERSION, "dockerVersion": "DockerVersion: 25.0.6"},
        "attributes": [
            *({"name": name} for name in _CAPABILITIES),
            *({"name": name, "value": value} for name, value in {**own, **agent.attributes}.items()),
        ],
    }


def _ports(agent: AgentConfig, protocol: str) -> list[str]:
    return [str(port) for of, port in sorted(agent.reserved_ports) if of == protocol]


def _settings(user_data: str) -> Iterator[tuple[str, str]]:
    for line in _text(user_data).splitlines():
        echoed = _ECHO.match(line)
        for part in echoed[1].strip("\"'").split("\\n") if echoed else [line]:
            if found := _ASSIGNMENT.match(part):
                yield found[1], _unquoted(found[2].strip())


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _text(user_data: str) -> str:
    """The text of all parts, if cloud-init's user data has several."""
    message = email.message_from_string(user_data)
    if not message.is_multipart():
        return user_data
    parts = [each.get_payload(decode=True) for each in message.walk()]
    return "\n".join(part.decode(errors="replace") for part in parts if isinstance(part, bytes))


def _json(text: str | None, kind: type) -> Any:
    try:
        found = json.loads(text or "null")
    except ValueError:
        return None
    return found if isinstance(found, kind) else None
