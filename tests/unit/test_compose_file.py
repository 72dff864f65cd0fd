"""What compose.yaml repeats of what is decided elsewhere, held against that; and what it promises of every service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from sim.cloud.localstack.settings import DATA_PLANE, PORT, container_environment
from sim.cloud.resources import local_resources
from sim.images.base_image import OFFICIAL
from sim.targets.settings import access, provisioned_by_kit
from sim.targets.target import SERVICES, Service, Tuning

ROOT = Path(__file__).resolve().parents[2]
ENDPOINT = f"http://localstack:{PORT}"

TEXT = (ROOT / "compose.yaml").read_text()
VARIABLE = re.compile(r"\$\{(\w+):-((?:[^{}]|\{\w+\})*)\}")
DEFAULTS: dict[str, str] = dict(VARIABLE.findall(TEXT))


def composed() -> dict[str, dict[str, Any]]:
    """The services as they are where the environment says nothing."""
    without_variables = VARIABLE.sub(r"\2", TEXT)
    services: dict[str, dict[str, Any]] = YAML(typ="safe").load(without_variables)["services"]
    return services


COMPOSED = composed()
DIRECT = {"NO_PROXY": "*", "no_proxy": "*"}


def test_the_official_images_are_the_default() -> None:
    named = {name: DEFAULTS[name] for name in ("BASE_IMAGE", "LOCALSTACK_IMAGE")}
    assert named.items() <= OFFICIAL.settings().items()


def test_localstack_is_set_as_in_every_container_but_for_the_control_plane() -> None:
    """What is shown needs the data plane alone, which any image of LocalStack has."""
    of_its_own = {
        **DIRECT,
        "XDG_CACHE_HOME": "/tmp/cache",
        "SERVICES": ",".join(DATA_PLANE),
        "EAGER_SERVICE_LOADING": "1",
    }
    control_plane = ("MOTO_", "PROVIDER_OVERRIDE_")
    elsewhere = {name: value for name, value in container_environment().items() if not name.startswith(control_plane)}
    assert COMPOSED["localstack"]["environment"] == elsewhere | of_its_own


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_set_as_in_the_other_targets(service: Service) -> None:
    """Times and sizes have their own defaults, and one endpoint serves all of AWS."""
    set_ = provisioned_by_kit(local_resources(ENDPOINT), Tuning()).settings[service]
    elsewhere = {**set_, **access(service, lambda _: ENDPOINT)}
    names = {name: value for name, value in elsewhere.items() if "ENDPOINT" not in name}
    here = {name: str(value) for name, value in COMPOSED[service]["environment"].items()}
    assert here.pop("AWS_ENDPOINT_URL") == ENDPOINT
    assert here.items() - DIRECT.items() <= names.items()
    assert {"QUEUE_URL", "AWS_ACCESS_KEY_ID", "AWS_REGION"} <= here.keys()


def test_the_queue_is_made_as_in_the_other_targets() -> None:
    command = [str(word) for word in COMPOSED["setup"]["command"]]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options == {
        "--max-receive-count": str(Tuning().max_receive_count),
        "--visibility-timeout": str(Tuning().visibility_timeout),
    }


@pytest.mark.parametrize("name", COMPOSED)
def test_a_service_is_confined(name: str) -> None:
    service = COMPOSED[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"}


@pytest.mark.parametrize("name", COMPOSED)
def test_no_proxy_of_dockers_configuration_comes_between(name: str) -> None:
    assert DIRECT.items() <= COMPOSED[name]["environment"].items()


@pytest.mark.parametrize("name", COMPOSED)
def test_no_file_of_the_machine_is_mounted(name: str) -> None:
    """Such a file may be unreadable in a container (umask, SELinux), and is not there on an engine elsewhere."""
    assert "volumes" not in COMPOSED[name]


@pytest.mark.parametrize("name", COMPOSED)
def test_a_start_is_probed_often(name: str) -> None:
    """Without a start_interval engines probe every 5 s only while a container starts. Images have their own."""
    check = COMPOSED[name].get("healthcheck", {"disable": True})
    assert check.get("disable") or check["start_interval"] == "1s"


@pytest.mark.parametrize("name", COMPOSED)
def test_a_port_is_on_loopback(name: str) -> None:
    assert [port for port in COMPOSED[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("variable", DEFAULTS)
def test_the_page_tells_of_every_variable_and_its_default(variable: str) -> None:
    default = "the official ones" if variable in OFFICIAL.settings() else DEFAULTS[variable]
    row = re.compile(rf"^\|.*`{variable}`.*\|.*{re.escape(default)}.*\|", re.MULTILINE)
    assert row.search((ROOT / "docs/compose.md").read_text())
