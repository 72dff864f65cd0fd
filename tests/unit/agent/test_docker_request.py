"""A task definition in the terms of Docker's Engine API."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from sim.agent import definition
from sim.agent.docker_request import Where, create_request, volumes
from sim.agent.local import Binding, LocalContainer, LocalTask
from sim.cluster.aws_clock import AwsClock
from tests.unit.agent.control_plane import a_task

WHERE = Where("label", "run-1", "run-1-cluster")
MEBIBYTE = 1024 * 1024


def a_local_task(*containers: dict[str, Any], **task: Any) -> LocalTask:
    desired = a_task("t1", *containers)
    desired = replace(desired, definition={**desired.definition, **task})
    names = [each["name"] for each in desired.definition["containerDefinitions"]]
    return LocalTask(desired, "i-1", tuple(map(LocalContainer, names)))


def request(container: dict[str, Any], *others: dict[str, Any], **task: Any) -> dict[str, Any]:
    """The request for the first container of a task."""
    return create_request(a_local_task(container, *others, **task), "c0", {"A": "b"}, WHERE)


def host(**container: Any) -> dict[str, Any]:
    found: dict[str, Any] = request(container)["HostConfig"]
    return found


def test_what_the_definition_leaves_open_is_the_images_or_the_agents() -> None:
    asked = request({})
    assert (asked["Entrypoint"], asked["Cmd"], asked["User"], asked["WorkingDir"]) == (None, None, "", "")
    assert asked["Env"] == ["A=b"]
    assert asked["Healthcheck"] == {"Test": ["NONE"]}, "the image's health check counts"
    config = asked["HostConfig"]
    assert (config["CpuShares"], config["Memory"], config["MemoryReservation"]) == (2, 64 * MEBIBYTE, 0)
    assert (config["Init"], config["Privileged"], config["ReadonlyRootfs"]) == (False, False, False)
    assert config["NetworkMode"] == "run-1-cluster"
    assert "PortBindings" not in config


def test_a_name_of_the_definition_wins_over_that_of_a_load_balancer() -> None:
    own = {"extraHosts": [{"hostname": "db", "ipAddress": "10.0.0.9"}]}
    hosts = {"db": "172.18.0.5", "web.elb": "172.18.0.5"}
    for mode, known in (("bridge", ["db:10.0.0.9", "web.elb:172.18.0.5"]), ("none", ["db:10.0.0.9"])):
        asked = create_request(a_local_task(own, networkMode=mode), "c0", {}, WHERE, hosts)
        assert asked["HostConfig"]["ExtraHosts"] == known


@pytest.mark.parametrize(
    ("container", "name", "value"),
    [
        ({"cpu": 512}, "CpuShares", 512),
        ({"memoryReservation": 32}, "MemoryReservation", 32 * MEBIBYTE),
        ({"linuxParameters": {"maxSwap": 10}}, "MemorySwap", 74 * MEBIBYTE),
        ({"linuxParameters": {"swappiness": 0}}, "MemorySwappiness", 0),
        ({"linuxParameters": {"sharedMemorySize": 3}}, "ShmSize", 3 * MEBIBYTE),
        ({"linuxParameters": {"initProcessEnabled": True}}, "Init", True),
        ({"linuxParameters": {"capabilities": {"drop": ["ALL"], "add": ["KILL"]}}}, "CapDrop", ["ALL"]),
        ({"linuxParameters": {"capabilities": {"drop": ["ALL"], "add": ["KILL"]}}}, "CapAdd", ["KILL"]),
        (
            {"linuxParameters": {"tmpfs": [{"containerPath": "/t", "size": 5, "mountOptions": ["noexec"]}]}},
            "Tmpfs",
            {"/t": "noexec,size=5m"},
        ),
        (
            {"linuxParameters": {"devices": [{"hostPath": "/dev/fuse", "permissions": ["read", "write"]}]}},
            "Devices",
            [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rw"}],
        ),
        (
            {"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}]},
            "Ulimits",
            [{"Name": "nofile", "Soft": 1, "Hard": 2}],
        ),
        ({"dockerSecurityOptions": ["no-new-privileges"]}, "SecurityOpt", ["no-new-privileges"]),
        ({"extraHosts": [{"hostname": "a", "ipAddress": "10.0.0.1"}]}, "ExtraHosts", ["a:10.0.0.1"]),
        ({"systemControls": [{"namespace": "net.x", "value": "1"}]}, "Sysctls", {"net.x": "1"}),
        ({"disableNetworking": True}, "NetworkMode", "none"),
        ({"readonlyRootFilesystem": True}, "ReadonlyRootfs", True),
        ({"privileged": True}, "Privileged", True),
        ({"dnsServers": ["10.0.0.2"]}, "Dns", ["10.0.0.2"]),
    ],
)
def test_a_setting_of_the_host_is_dockers(container: dict[str, Any], name: str, value: object) -> None:
    assert host(**container)[name] == value


def test_awslogs_are_shipped_from_the_engines_log_with_the_drivers_buffer() -> None:
    options = {"awslogs-group": "/g", "mode": "non-blocking", "max-buffer-size": "4m"}
    config = host(logConfiguration={"logDriver": "awslogs", "options": options})["LogConfig"]
    assert config["Type"] == "json-file"
    assert (config["Config"]["mode"], config["Config"]["max-buffer-size"]) == ("non-blocking", "4m")
    assert "awslogs-group" not in config["Config"]


def test_another_log_driver_is_the_engines() -> None:
    logs = {"logDriver": "syslog", "options": {"tag": "x"}}
    assert host(logConfiguration=logs)["LogConfig"] == {"Type": "syslog", "Config": {"tag": "x"}}


def test_a_health_check_is_in_nanoseconds() -> None:
    check = {"command": ["CMD", "x"], "interval": 5, "timeout": 3, "retries": 2, "startPeriod": 10}
    second = 1_000_000_000
    assert request({"healthCheck": check})["Healthcheck"] == {
        "Test": ["CMD", "x"],
        "Interval": 5 * second,
        "Timeout": 3 * second,
        "Retries": 2,
        "StartPeriod": 10 * second,
    }


def test_docker_checks_by_awss_clock_and_waits_by_this_machines() -> None:
    check = {"command": ["CMD", "x"], "interval": 60, "timeout": 3, "startPeriod": 30}
    asked = create_request(a_local_task({"healthCheck": check}), "c0", {}, WHERE, clock=AwsClock(0, 15))["Healthcheck"]
    second = 1_000_000_000
    assert (asked["Interval"], asked["Timeout"], asked["StartPeriod"]) == (4 * second, 3 * second, 2 * second)


def test_names_and_labels_are_the_agents_and_the_name_is_the_tasks_own() -> None:
    task = a_local_task({})
    name = WHERE.container_name(task, "c0")
    assert name.startswith("ecs-app-3-c0-")
    assert name == WHERE.container_name(a_local_task({}), "c0") != WHERE.container_name(a_local_task({}, {}), "c1")
    assert name != Where("label", "run-2", "run-2-cluster").container_name(task, "c0"), "each run has its own"
    labels = request({"dockerLabels": {"label": "theirs", "own": "x"}})["Labels"]
    assert labels["com.amazonaws.ecs.task-arn"] == task.task.arn
    assert (labels["com.amazonaws.ecs.cluster"], labels["own"]) == ("mail", "x")
    assert labels["label"] == "run-1", "a definition cannot take a container out of its run"


def test_links_are_aliases_in_the_network() -> None:
    asked = request({"links": ["c1:db"]}, {})
    other = WHERE.container_name(a_local_task({"links": ["c1:db"]}, {}), "c1")
    endpoint = asked["NetworkingConfig"]["EndpointsConfig"]["run-1-cluster"]
    assert endpoint["Links"] == [f"{other}:db"]
    assert ip_address(endpoint["IPAMConfig"]["LinkLocalIPs"][0]).is_link_local


def test_with_the_hosts_network_the_first_container_has_it_and_the_others_share_it() -> None:
    task = a_local_task({}, {}, networkMode="host")
    second = create_request(task, "c1", {}, WHERE)
    assert second["HostConfig"]["NetworkMode"] == f"container:{WHERE.container_name(task, 'c0')}"
    assert second["NetworkingConfig"] == {}
    assert create_request(task, "c0", {}, WHERE)["HostConfig"]["NetworkMode"] == "run-1-cluster"


def test_volumes_are_of_the_task_or_of_the_instance_and_never_of_this_machine() -> None:
    defined = [
        {"name": "own", "host": {}},
        {"name": "path", "host": {"sourcePath": "/var/lib/x"}},
        {"name": "shared", "dockerVolumeConfiguration": {"scope": "shared"}},
    ]
    mounts = [
        {"sourceVolume": each["name"], "containerPath": f"/{each['name']}", "readOnly": each["name"] == "path"}
        for each in defined
    ]
    task = a_local_task({"mountPoints": mounts}, volumes=defined)
    made = volumes(task, WHERE)
    assert [made[name].of_task for name in ("own", "path", "shared")] == [True, False, False]
    binds = create_request(task, "c0", {}, WHERE)["HostConfig"]["Binds"]
    assert binds == [
        f"{made['own'].name}:/own",
        f"{made['path'].name}:/path:ro",
        f"{made['shared'].name}:/shared",
    ]
    assert all(each.startswith("run-1-") for each in binds)
    elsewhere = volumes(replace(task, instance="i-2"), WHERE)
    assert elsewhere["path"] != made["path"], "two instances share a path"


def test_overrides_of_run_task_win() -> None:
    own = {"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "command": ["x"], "cpu": 1}
    override = {"name": "c0", "environment": [{"name": "B", "value": "3"}], "command": ["y"]}
    task = replace(a_task("t1", own), overrides={"containerOverrides": [override]})
    defined = definition.container(task, "c0")
    assert definition.environment(defined, {"A": "given", "C": "given"}, {}) == {"A": "1", "B": "3", "C": "given"}
    assert (defined["command"], defined["cpu"]) == (["y"], 1)


def test_host_ports_are_static_or_the_lowest_that_is_free() -> None:
    ports = [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81}, {"containerPort": 82, "protocol": "udp"}]
    task = a_task("t1", {"portMappings": ports})
    bound = definition.bindings(task, definition.container(task, "c0"), [("tcp", 32768)])
    assert bound == (Binding("tcp", 80, 8080), Binding("tcp", 81, 32769), Binding("udp", 82, 32768))
    with_host = replace(task, definition={**task.definition, "networkMode": "host"})
    found = definition.bindings(with_host, definition.container(task, "c0"), [])
    assert [each.host_port for each in found] == [80, 81, 82]
