"""The targets of a target group, and the attributes of load balancers and target groups.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealthDescription.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sim.cloud.control_plane.call import Values
from sim.cloud.control_plane.registrations import Registrations
from sim.cluster.balancer.target_group import (
    DRAINING,
    NOT_REGISTERED,
    NOT_USED,
    REGISTERING,
    DescribedTarget,
    described_as,
    scheduled,
)
from sim.cluster.target_health import TargetHealth, instance_of

BALANCER_ATTRIBUTES: Final = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
"""AWS's defaults. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html"""
GROUP_ATTRIBUTES: Final = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
"""AWS's defaults. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html"""


@dataclass
class TargetGroup(Registrations):
    """What moto does not keep of a target group: an instance is a target with each of its ports."""

    def add(self, targets: Iterable[str]) -> None:
        """Registers targets. One that is registered already keeps its health."""
        self.register([each for each in dict.fromkeys(targets) if each not in self.registrations])

    def deregister(self, targets: Iterable[str], now: float, delay: float) -> None:
        """Takes targets out. One that a load balancer has checked drains, at most for the deregistration delay."""
        for target in targets:
            if target in self.registrations and self.leave(target) is not None:
                self.draining[target] = now + delay

    def of_instances(self, instances: Collection[str]) -> list[str]:
        """The targets on these EC2 instances."""
        return [each for each in self.registrations if instance_of(each) in instances]

    def reported_of(self, instance: str) -> list[TargetHealth]:
        """What a health checker last reported of each target on this EC2 instance."""
        return [self.reported[each] for each in self.of_instances({instance}) if each in self.reported]

    def health(self, asked: Collection[str], now: float, *, used: bool) -> dict[str, DescribedTarget]:
        """The health of the targets in `asked`; if it is empty, of all that are registered or drain.

        `used` says whether a listener sends requests to the group.
        """
        known = {each: self._registered_health(each, used=used) for each in self.registrations}
        known |= {each: DRAINING for each in sorted(self.leaving(now)) if each not in known}
        return {each: known.get(each, NOT_REGISTERED) for each in asked or known}

    def scheduled(self, now: float, *, used: bool) -> dict[str, TargetHealth]:
        """The health of all targets, as the service scheduler needs it."""
        return {each: scheduled(it) for each, it in self.health((), now, used=used).items()}

    def in_service(self, target: str) -> bool:
        """True if the edge reported the target as in service when it last reported it."""
        return target in self.reported and self.reported[target].state == "InService"

    def _registered_health(self, target: str, *, used: bool) -> DescribedTarget:
        if not used:
            return NOT_USED
        reported = self.reported.get(target)
        return REGISTERING if reported is None else described_as(reported)


def describe(target: str, it: DescribedTarget, check_port: str) -> Values:
    """The target as DescribeTargetHealth returns it. `check_port` is that of the group's health check."""
    instance, _, port = target.partition(":")
    health = {"State": it.state, "Reason": it.reason, "Description": it.description}
    return {
        "Target": {"Id": instance, "Port": int(port)},
        "HealthCheckPort": port if check_port == "traffic-port" else check_port,
        "TargetHealth": {name: value for name, value in health.items() if value},
    }


def complete(given: Iterable[Mapping[str, str]], defaults: Mapping[str, str]) -> list[Values]:
    """Attributes as the API lists them, with AWS's defaults for those that nobody has set."""
    values = {**defaults, **{each["Key"]: str(each["Value"]) for each in given}}
    return [{"Key": key, "Value": value} for key, value in values.items()]
