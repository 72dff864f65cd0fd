"""What AWS refuses, with its errors, where moto takes it; and what the local cluster cannot run, refused by name.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from sim.cloud.control_plane.call import AwsError, Values
from sim.cloud.control_plane.elbv2.rules import SERVED

_NAME: Final = re.compile(r"[a-zA-Z0-9-]+")
_NAME_LENGTH: Final = 32
_LARGEST_PRIORITY: Final = 50_000
_ZONES: Final = 2
_RANGES: Final = {
    "HealthCheckIntervalSeconds": (5, 300),
    "HealthCheckTimeoutSeconds": (2, 120),
    "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
}
_LEFT_OUT: Final = {
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
}
"""The attributes of a load balancer that the edge carries out with this value alone."""


def check_name(name: str) -> None:
    """Raises AwsError: ValidationError."""
    if len(name) > _NAME_LENGTH:
        raise _invalid(f"The load balancer name '{name}' cannot be longer than '{_NAME_LENGTH}' characters")
    if not _NAME.fullmatch(name):
        raise _invalid(
            f"The load balancer name '{name}' can only contain characters that are alphanumeric characters "
            "or hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        raise _invalid(f"The load balancer name '{name}' cannot begin or end with a hyphen(-)")
    if name.startswith("internal-"):
        raise _invalid(f"The load balancer name '{name}' cannot begin with 'internal-'")


def check_zones(zones: Sequence[str]) -> None:
    """`zones` are those of the subnets. Raises AwsError: ValidationError, InvalidConfigurationRequest."""
    if len(set(zones)) < len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len(zones) < _ZONES:
        raise _invalid("At least two subnets in two different Availability Zones must be specified")


def check_health_check(asked: Values) -> None:
    """Raises AwsError: ValidationError."""
    for name, (least, most) in _RANGES.items():
        value = asked.get(name)
        if value is not None and int(value) < least:
            raise _constraint(name, value, f"greater than or equal to {least}")
        if value is not None and int(value) > most:
            raise _constraint(name, value, f"less than or equal to {most}")
    if asked.get("HealthCheckEnabled") is False and (asked.get("TargetType") or "instance") == "instance":
        raise _invalid("Health check enabled must be true for groups with target type 'instance'")


def check_priority(priority: int) -> None:
    """Raises AwsError: ValidationError."""
    if priority < 1:
        raise _constraint("Priority", priority, "greater than or equal to 1")
    if priority > _LARGEST_PRIORITY:
        raise _constraint("Priority", priority, f"less than or equal to {_LARGEST_PRIORITY}")


def check_listener(asked: Values, ports: Iterable[int], arn: str) -> None:
    """`ports` are those of the load balancer's other listeners. Raises AwsError: DuplicateListener, ValidationError."""
    if int(asked.get("Port") or 0) in ports:
        raise AwsError("DuplicateListener", f"A listener already exists on this port for this load balancer '{arn}'")
    if asked.get("Protocol") == "HTTPS" and not asked.get("Certificates"):
        raise _invalid("A certificate must be specified for HTTPS listeners")


def refuse_balancer(asked: Values) -> None:
    """Raises AwsError: ValidationError."""
    kind = asked.get("Type") or "application"
    if kind != "application":
        raise _refusal(f"load balancers of the type {kind}", "Use the type application.")


def refuse_group(asked: Values) -> None:
    """Raises AwsError: ValidationError."""
    kind, protocol = asked.get("TargetType") or "instance", asked.get("Protocol")
    if kind != "instance":
        raise _refusal(f"target groups with the target type {kind}", "Use the target type instance.")
    if protocol not in {"HTTP", "HTTPS"}:
        raise _refusal(f"target groups with the protocol {protocol}", "Use HTTP or HTTPS.")
    if (version := asked.get("ProtocolVersion") or "HTTP1") != "HTTP1":
        raise _refusal(f"target groups with the protocol version {version}", "Use HTTP1.")


def refuse_actions(actions: Iterable[Values]) -> None:
    """Raises AwsError: ValidationError."""
    for each in actions:
        if each["Type"] not in SERVED:
            raise _refusal(f"the action {each['Type']}", f"Use one of {', '.join(sorted(SERVED))}.")
        if ((each.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}).get("Enabled"):
            raise _refusal("stickiness between the target groups of a forward", "Leave it out.")


def refuse_conditions(conditions: Iterable[Values]) -> None:
    """Raises AwsError: ValidationError."""
    for each in conditions:
        configs = [value for name, value in each.items() if name.endswith("Config") and value]
        if any(of.get("RegexValues") for of in (each, *configs)):
            raise _refusal("conditions with regular expressions", "Use Values.")


def refuse_attributes(attributes: Iterable[Values]) -> None:
    """Raises AwsError: ValidationError."""
    for each in attributes:
        only = _LEFT_OUT.get(each["Key"])
        if only is not None and each["Value"] != only:
            raise _refusal(f"{each['Key']} = {each['Value']}", f"Use {only}.")


def _constraint(name: str, value: object, constraint: str) -> AwsError:
    at = name[0].lower() + name[1:]
    return _invalid(
        f"1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: "
        f"Member must have value {constraint}"
    )


def _refusal(what: str, remedy: str) -> AwsError:
    return _invalid(f"The local cluster does not run {what}. {remedy}")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)
