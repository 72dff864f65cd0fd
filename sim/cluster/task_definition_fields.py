"""Which parts of a task definition the local cluster's agent does, and which it does not.

A path names a parameter of RegisterTaskDefinition by its members, through lists. A path that ends a branch speaks for
all below it. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Runtime = Literal["containers", "processes"]


@dataclass(frozen=True, slots=True)
class Field:
    """Whether a field is done where tasks are containers, and where they are processes; and what is different.

    `values` are those that are done, if not all are.
    """

    containers: bool
    processes: bool
    note: str = ""
    values: frozenset[str] = frozenset()


def _done(note: str = "", *values: str) -> Field:
    return Field(containers=True, processes=True, note=note, values=frozenset(values))


def _containers(note: str = "a process has no such setting", *values: str) -> Field:
    return Field(containers=True, processes=False, note=note, values=frozenset(values))


def _not_done(note: str) -> Field:
    return Field(containers=False, processes=False, note=note)


_SHARED: Final = "a process sees the file system of this machine"
_LIMITS: Final = "the scheduler counts it; a process is not held to it"
_FARGATE: Final = "it belongs to Fargate"
_CONTAINER: Final = "containerDefinitions."
_LINUX: Final = "containerDefinitions.linuxParameters."

FIELDS: Final[Mapping[str, Field]] = {
    "family": _done(),
    "tags": _done(),
    "taskRoleArn": _done(),
    "executionRoleArn": _done(),
    "networkMode": _done(
        "with `host`, containers of one task share localhost, tasks of one instance do not", "bridge", "host", "none"
    ),
    "cpu": _done("the scheduler counts it; the task as a whole is not held to it"),
    "memory": _done("the scheduler counts it; the task as a whole is not held to it"),
    "placementConstraints": _done(),
    "requiresCompatibilities": _done("", "EC2"),
    "runtimePlatform": _done("every image runs as the engine runs it"),
    "pidMode": _not_done("each container has process ids of its own"),
    "ipcMode": _containers("each container has an IPC namespace of its own", "none"),
    "proxyConfiguration": _not_done("it needs awsvpc"),
    "inferenceAccelerators": _not_done("AWS has ended it"),
    "ephemeralStorage": _not_done(_FARGATE),
    "enableFaultInjection": _not_done("faults of the local cluster are `sim`'s own"),
    "trustedExecutionConfiguration": _not_done("it needs hardware of AWS"),
    "volumes.name": _containers(_SHARED),
    "volumes.host": _containers("a path is a volume of the container instance, empty at first, not one of the AMI"),
    "volumes.dockerVolumeConfiguration.scope": _containers(_SHARED),
    "volumes.dockerVolumeConfiguration.autoprovision": _containers("a shared volume is made where it is missing"),
    "volumes.dockerVolumeConfiguration.driver": _containers("volumes are the engine's own", "local"),
    "volumes.dockerVolumeConfiguration.driverOpts": _not_done("volumes are the engine's own"),
    "volumes.dockerVolumeConfiguration.labels": _not_done("volumes have the labels of the run"),
    "volumes.efsVolumeConfiguration": _not_done("there is no EFS"),
    "volumes.s3filesVolumeConfiguration": _not_done("there is no S3 Files"),
    "volumes.fsxWindowsFileServerVolumeConfiguration": _not_done("there is no FSx"),
    "volumes.configuredAtLaunch": _not_done("there is no EBS"),
    _CONTAINER + "name": _done(),
    _CONTAINER + "image": _done(),
    _CONTAINER + "repositoryCredentials": _not_done("images come from the local ECR, or from the engine"),
    _CONTAINER + "cpu": _containers(_LIMITS),
    _CONTAINER + "memory": _containers(_LIMITS),
    _CONTAINER + "memoryReservation": _containers(_LIMITS),
    _CONTAINER + "links": _containers("a process waits for the other, and does not know it by name"),
    _CONTAINER + "portMappings.containerPort": _done(),
    _CONTAINER + "portMappings.hostPort": _done(),
    _CONTAINER + "portMappings.protocol": _done(),
    _CONTAINER + "portMappings.name": _not_done("there is no Service Connect"),
    _CONTAINER + "portMappings.appProtocol": _not_done("there is no Service Connect"),
    _CONTAINER + "portMappings.containerPortRange": _not_done("each port is mapped by itself"),
    _CONTAINER + "essential": _done(),
    _CONTAINER + "restartPolicy": _not_done("a container that ends is not started again within its task"),
    _CONTAINER + "entryPoint": _done(),
    _CONTAINER + "command": _done(),
    _CONTAINER + "environment": _done(),
    _CONTAINER + "environmentFiles": _not_done("the agent reads no files of S3"),
    _CONTAINER + "mountPoints": _containers(_SHARED),
    _CONTAINER + "volumesFrom": _containers(_SHARED),
    _CONTAINER + "secrets": _done(),
    _CONTAINER + "dependsOn": _done(),
    _CONTAINER + "startTimeout": _done(),
    _CONTAINER + "stopTimeout": _done(),
    _CONTAINER + "versionConsistency": _not_done("a tag is what it is when the task starts"),
    _CONTAINER + "hostname": _containers(),
    _CONTAINER + "user": _containers("a process runs as whoever runs `sim`"),
    _CONTAINER + "workingDirectory": _done(),
    _CONTAINER + "disableNetworking": _containers(),
    _CONTAINER + "privileged": _containers(),
    _CONTAINER + "readonlyRootFilesystem": _containers(_SHARED),
    _CONTAINER + "dnsServers": _containers(),
    _CONTAINER + "dnsSearchDomains": _containers(),
    _CONTAINER + "extraHosts": _containers(),
    _CONTAINER + "dockerSecurityOptions": _containers(),
    _CONTAINER + "interactive": _containers(),
    _CONTAINER + "pseudoTerminal": _containers(),
    _CONTAINER + "dockerLabels": _containers(),
    _CONTAINER + "ulimits": _containers(
        "a process has no such setting; an engine that may not raise its own limits gives a container those"
    ),
    _CONTAINER + "logConfiguration.logDriver": _done(
        "other drivers than awslogs are the engine's; a process has none of them",
        *("awslogs", "fluentd", "gelf", "journald", "json-file", "syslog"),
    ),
    _CONTAINER + "logConfiguration.options": _done(
        "with awslogs, lines wait in the engine's log: no `mode` holds up the container, and none is dropped before "
        "that log is full. `awslogs-datetime-format` and `awslogs-multiline-pattern` have no effect"
    ),
    _CONTAINER + "logConfiguration.secretOptions": _not_done("log drivers are given no secrets"),
    _CONTAINER + "healthCheck": _done(),
    _CONTAINER + "systemControls": _containers(),
    _CONTAINER + "resourceRequirements": _not_done("instances have no GPUs"),
    _CONTAINER + "firelensConfiguration": _not_done("there is no FireLens"),
    _CONTAINER + "credentialSpecs": _not_done("there is no Active Directory"),
    _LINUX + "capabilities": _containers(),
    _LINUX + "devices": _containers(),
    _LINUX + "initProcessEnabled": _containers("a process has no first process above it that could be missing"),
    _LINUX + "sharedMemorySize": _containers(),
    _LINUX + "tmpfs": _containers(_SHARED),
    _LINUX + "maxSwap": _containers(),
    _LINUX + "swappiness": _containers(),
}
"""Every parameter that a task definition for EC2 can have."""


def not_done(settings: Mapping[str, Any], runtime: Runtime) -> tuple[str, ...]:
    """What a definition, as RegisterTaskDefinition's parameters, asks for and is not done: `PATH: why`, each once."""
    return tuple(dict.fromkeys(_not_done_in(settings, "", runtime)))


def _not_done_in(value: object, path: str, runtime: Runtime) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _not_done_in(each, path, runtime)
    elif path in FIELDS:
        field = FIELDS[path]
        done = field.containers if runtime == "containers" else field.processes
        unusual = bool(field.values) and value not in field.values
        if value not in (None, "", False, 0, {}) and (not done or unusual):
            yield f"{path}{f'={value}' if unusual else ''}: {field.note or 'not done'}"
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _not_done_in(inner, f"{path}.{name}" if path else name, runtime)
