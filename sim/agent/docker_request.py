"""What the agent asks of Docker for a container: the body of the Engine API's ContainerCreate.

https://docs.docker.com/reference/api/engine/version/v1.45/#tag/Container/operation/ContainerCreate
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sim.agent import definition
from sim.agent.definition import Values
from sim.agent.local import LocalTask
from sim.aws.arn import last_part
from sim.cluster.aws_clock import THIS_MACHINES, AwsClock
from sim.cluster.container_check import container_check

_MEBIBYTE: Final = 1024 * 1024
_NANOSECONDS: Final = 1_000_000_000
_LEAST_CPU_SHARES: Final = 2
_RANDOM: Final = 20
_BUFFER: Final = ("mode", "max-buffer-size")


@dataclass(frozen=True, slots=True)
class Where:
    """The run's label by its key and value, the run's network, and the container of its load balancers, "" for none."""

    label: str
    run: str
    network: str
    edge: str = ""

    def container_name(self, task: LocalTask, container: str) -> str:
        """`ecs-FAMILY-REVISION-NAME-RANDOM`. The last is the same for the same task of a run, so that no container is
        made twice, and none of another run is taken for it."""
        defined = task.task.definition
        readable = re.sub(r"[^a-zA-Z0-9_.-]", "", f"{defined.get('family')}-{defined.get('revision')}-{container}")
        return f"ecs-{readable}-{_digest(self.run, task.task.arn, container)}"

    def link_local(self, task: LocalTask, container: str) -> str:
        """The container's own link-local address, without which it reaches no other: the kernel then has no route.

        One of some 43,000, by the container's name, below those that AWS answers at.
        """
        number = int(_digest(self.container_name(task, container)), 16) % (168 * 256)
        return f"169.254.{1 + number // 256}.{number % 256}"


@dataclass(frozen=True, slots=True)
class Volume:
    """A Docker volume. One of a task ends with it; others last as long as the run."""

    name: str
    of_task: bool


def create_request(
    task: LocalTask,
    container: str,
    environment: Mapping[str, str],
    where: Where,
    hosts: Mapping[str, str] | None = None,
    clock: AwsClock = THIS_MACHINES,
) -> dict[str, Any]:
    """The body of ContainerCreate for a container of a task. `hosts` are addresses by the names that it knows them by.

    The definition's own `extraHosts` win. Its health check comes by AWS's clock.
    """
    defined = definition.container(task.task, container)
    return {
        "Image": defined["image"],
        "Entrypoint": defined.get("entryPoint") or None,
        "Cmd": defined.get("command") or None,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "User": defined.get("user") or "",
        "WorkingDir": defined.get("workingDirectory") or "",
        "Hostname": defined.get("hostname") or "",
        "Tty": bool(defined.get("pseudoTerminal")),
        "OpenStdin": bool(defined.get("interactive")),
        "Labels": _labels(task, defined, where),
        "Healthcheck": _health_check(defined, clock),
        "HostConfig": _host_config(task, defined, where, hosts or {}),
        "NetworkingConfig": _networks(task, defined, where),
    }


def links(task: LocalTask, defined: Values, where: Where) -> dict[str, str]:
    """The names of containers of the same task, and by which name this one knows each."""
    pairs = [each.partition(":") for each in defined.get("links") or ()]
    return {where.container_name(task, name): alias or name for name, _, alias in pairs}


def network_of(task: LocalTask, defined: Values) -> str | None:
    """The container of the task whose network this one shares; None if it is connected itself.

    The containers of a task with the host's network reach each other by localhost.
    """
    first = task.containers[0].name
    shares = definition.network_mode(task.task) == "host" and defined["name"] != first
    return first if shares else None


def is_connected(task: LocalTask, defined: Values) -> bool:
    """Whether the container is in the run's network by itself."""
    alone = definition.network_mode(task.task) == "none" or defined.get("disableNetworking")
    return not alone and network_of(task, defined) is None


def volumes(task: LocalTask, where: Where) -> dict[str, Volume]:
    """The Docker volume for each volume of the task definition.

    A path of the host is a volume of the task's container instance: nothing of this machine is mounted.
    """
    found: dict[str, Volume] = {}
    for each in task.task.definition.get("volumes") or ():
        name = str(each["name"])
        docker = each.get("dockerVolumeConfiguration") or {}
        path = (each.get("host") or {}).get("sourcePath")
        if docker.get("scope") == "shared" or path:
            found[name] = Volume(f"{where.run}-{task.instance}-{_digest(path or name)}", of_task=False)
        else:
            found[name] = Volume(f"{where.run}-{_digest(task.task.arn, name)}", of_task=True)
    return found


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_RANDOM]


def _labels(task: LocalTask, defined: Values, where: Where) -> dict[str, str]:
    return {
        **(defined.get("dockerLabels") or {}),
        where.label: where.run,
        "com.amazonaws.ecs.cluster": last_part(task.task.cluster),
        "com.amazonaws.ecs.container-name": defined["name"],
        "com.amazonaws.ecs.task-arn": task.task.arn,
        "com.amazonaws.ecs.task-definition-family": str(task.task.definition.get("family")),
        "com.amazonaws.ecs.task-definition-version": str(task.task.definition.get("revision")),
    }


def _health_check(defined: Values, clock: AwsClock) -> dict[str, Any]:
    """The definition's health check. Without one there is none, whatever the image says."""
    declared = container_check(defined)
    if declared is None:
        return {"Test": ["NONE"]}
    check = declared.by(clock)
    return {
        "Test": ["CMD", *check.command],
        "Interval": int(check.interval * _NANOSECONDS),
        "Timeout": int(check.timeout * _NANOSECONDS),
        "Retries": check.retries,
        "StartPeriod": int(check.start_period * _NANOSECONDS),
    }


def _host_config(task: LocalTask, defined: Values, where: Where, hosts: Mapping[str, str]) -> dict[str, Any]:
    linux = defined.get("linuxParameters") or {}
    capabilities = linux.get("capabilities") or {}
    own = {each["hostname"]: each["ipAddress"] for each in defined.get("extraHosts") or ()}
    known = {**hosts, **own} if is_connected(task, defined) else own
    lending = ((each, where.container_name(task, each["sourceContainer"])) for each in defined.get("volumesFrom") or ())
    return {
        "Binds": _binds(task, defined, where),
        "CapAdd": capabilities.get("add") or [],
        "CapDrop": capabilities.get("drop") or [],
        "CpuShares": max(_LEAST_CPU_SHARES, int(defined.get("cpu") or 0)),
        "Devices": [_device(each) for each in linux.get("devices") or ()],
        "Dns": defined.get("dnsServers") or [],
        "DnsSearch": defined.get("dnsSearchDomains") or [],
        "ExtraHosts": [f"{name}:{address}" for name, address in known.items()],
        "Init": bool(linux.get("initProcessEnabled")),
        "IpcMode": task.task.definition.get("ipcMode") if task.task.definition.get("ipcMode") == "none" else "",
        "LogConfig": _log_config(defined),
        "NetworkMode": _network_mode(task, defined, where),
        "Privileged": bool(defined.get("privileged")),
        "ReadonlyRootfs": bool(defined.get("readonlyRootFilesystem")),
        "SecurityOpt": defined.get("dockerSecurityOptions") or [],
        "ShmSize": int(linux.get("sharedMemorySize") or 0) * _MEBIBYTE,
        "Sysctls": {each["namespace"]: each["value"] for each in defined.get("systemControls") or ()},
        "Tmpfs": {each["containerPath"]: _tmpfs(each) for each in linux.get("tmpfs") or ()},
        "Ulimits": [
            {"Name": each["name"], "Soft": each["softLimit"], "Hard": each["hardLimit"]}
            for each in defined.get("ulimits") or ()
        ],
        "VolumesFrom": [f"{name}:{'ro' if each.get('readOnly') else 'rw'}" for each, name in lending],
        **_memory(defined, linux),
    }


def _memory(defined: Values, linux: Values) -> dict[str, int]:
    limit = int(defined.get("memory") or 0) * _MEBIBYTE
    found = {"Memory": limit, "MemoryReservation": int(defined.get("memoryReservation") or 0) * _MEBIBYTE}
    if limit and linux.get("maxSwap") is not None:
        found["MemorySwap"] = limit + int(linux["maxSwap"]) * _MEBIBYTE
    if linux.get("swappiness") is not None:
        found["MemorySwappiness"] = int(linux["swappiness"])
    return found


def _binds(task: LocalTask, defined: Values, where: Where) -> list[str]:
    known = volumes(task, where)
    return [
        f"{known[each['sourceVolume']].name}:{each['containerPath']}{':ro' if each.get('readOnly') else ''}"
        for each in defined.get("mountPoints") or ()
    ]


def _device(device: Values) -> dict[str, str]:
    letters = "".join({"read": "r", "write": "w", "mknod": "m"}[each] for each in device.get("permissions") or ())
    inside = device.get("containerPath") or device["hostPath"]
    return {"PathOnHost": device["hostPath"], "PathInContainer": inside, "CgroupPermissions": letters or "rwm"}


def _tmpfs(tmpfs: Values) -> str:
    return ",".join([*(tmpfs.get("mountOptions") or ()), f"size={tmpfs['size']}m"])


def _log_config(defined: Values) -> dict[str, Any]:
    """With `awslogs` the agent reads what the engine keeps, and ships it; the buffer before that is the engine's."""
    configuration = defined.get("logConfiguration") or {}
    driver = configuration.get("logDriver") or "json-file"
    options = dict(configuration.get("options") or {})
    if driver == "awslogs":
        buffer = {name: options[name] for name in _BUFFER if name in options}
        return {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3", **buffer}}
    return {"Type": driver, "Config": options}


def _network_mode(task: LocalTask, defined: Values, where: Where) -> str:
    if other := network_of(task, defined):
        return f"container:{where.container_name(task, other)}"
    return where.network if is_connected(task, defined) else "none"


def _networks(task: LocalTask, defined: Values, where: Where) -> dict[str, Any]:
    if not is_connected(task, defined):
        return {}
    linked = [f"{name}:{alias}" for name, alias in links(task, defined, where).items()]
    addresses = {"LinkLocalIPs": [where.link_local(task, defined["name"])]}
    return {"EndpointsConfig": {where.network: {"Links": linked, "IPAMConfig": addresses}}}
