"""What user data sets for the agent, and what an instance registers."""

from __future__ import annotations

import json
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from sim.agent.config import AgentConfig, config, duration, registration
from sim.cluster.instance_types import resources
from tests.unit.agent.control_plane import an_instance

HERE_DOCUMENT = """#!/bin/bash
cat >> /etc/ecs/ecs.config <<'CONFIG'
ECS_CLUSTER=mail
# ECS_CLUSTER=not-this
ECS_IMAGE_PULL_BEHAVIOR=once
ECS_INSTANCE_ATTRIBUTES={"stack": "blue"}
ECS_RESERVED_MEMORY=256
ECS_RESERVED_PORTS=[22, 9100]
ECS_CONTAINER_STOP_TIMEOUT=1m30s
CONFIG
"""


def test_a_here_document_is_read() -> None:
    assert config(HERE_DOCUMENT) == AgentConfig(
        cluster="mail",
        attributes={"stack": "blue"},
        reserved_memory=256,
        reserved_ports=frozenset({("tcp", 22), ("tcp", 9100)}),
        pull_behavior="once",
        stop_timeout=90,
    )


@pytest.mark.parametrize(
    "line",
    [
        "echo ECS_CLUSTER=mail >> /etc/ecs/ecs.config",
        'echo "ECS_CLUSTER=mail" >> /etc/ecs/ecs.config',
        "echo 'ECS_CLUSTER=mail' > /etc/ecs/ecs.config",
        "echo ECS_CLUSTER=mail | sudo tee -a /etc/ecs/ecs.config",
        r'echo -e "ECS_LOGLEVEL=debug\nECS_CLUSTER=mail" >> /etc/ecs/ecs.config',
        'export ECS_CLUSTER="mail"',
        "#cloud-config\nwrite_files:\n- path: /etc/ecs/ecs.config\n  content: |\n    ECS_CLUSTER=mail",
    ],
)
def test_the_cluster_is_found_however_it_is_written(line: str) -> None:
    assert config(f"#!/bin/bash\n{line}\n").cluster == "mail"


def test_attributes_survive_the_quotes_of_a_shell() -> None:
    line = """echo 'ECS_INSTANCE_ATTRIBUTES={"stack":"blue"}' >> /etc/ecs/ecs.config"""
    assert config(line).attributes == {"stack": "blue"}


def test_the_parts_of_cloud_init_are_decoded() -> None:
    message = MIMEMultipart()
    message.attach(MIMEText("ECS_CLUSTER=mail\n", "x-shellscript", "utf-8"))
    assert "ECS_CLUSTER" not in str(message), "the part is not encoded"
    assert config(str(message)).cluster == "mail"


def test_without_settings_it_is_the_agents_own() -> None:
    assert config("") == config("ECS_INSTANCE_ATTRIBUTES={\nECS_RESERVED_PORTS=x") == AgentConfig()


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("2m", 120), ("1h1m", 3660), ("90", 7), ("", 7)])
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert duration(text, 7) == seconds


def test_an_instance_registers_what_its_type_has_without_what_is_reserved() -> None:
    parameters = registration(an_instance(), config(HERE_DOCUMENT))
    total = {
        each["name"]: each.get("integerValue", each.get("stringSetValue")) for each in parameters["totalResources"]
    }
    cpu, memory = resources("t3.small") or (0, 0)
    assert (cpu, 1800 < memory < 2048) == (2048, True)
    assert total == {"CPU": cpu, "MEMORY": memory - 256, "PORTS": ["22", "9100"], "PORTS_UDP": []}
    assert json.loads(parameters["instanceIdentityDocument"])["instanceId"] == "i-1"
    attributes = {each["name"]: each.get("value") for each in parameters["attributes"]}
    assert attributes["stack"] == "blue"
    assert attributes["ecs.availability-zone"] == "eu-central-1a"
    assert "com.amazonaws.ecs.capability.logging-driver.awslogs" in attributes
