"""A Classic ELB's attributes, and the reported health of its instances.

https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_LoadBalancerAttributes.html
https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_InstanceState.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.cloud.control_plane.call import AwsError, Values
from sim.cloud.control_plane.registrations import Registrations
from sim.cluster.balancer.classic import DEREGISTERING, NOT_REGISTERED, REGISTERING
from sim.cluster.balancer.desync import Mode
from sim.cluster.desired import ListenerProtocol
from sim.cluster.target_health import TargetHealth

_DESYNC = "elb.http.desyncmitigationmode"
_DRAINING_TIMEOUT = 300
_STATES = frozenset({"InService", "OutOfService", "Unknown"})
_REASONS = frozenset({"ELB", "Instance", "N/A"})

DEFAULT_ATTRIBUTES: Values = {
    "CrossZoneLoadBalancing": {"Enabled": False},
    "AccessLog": {"Enabled": False},
    "ConnectionDraining": {"Enabled": False, "Timeout": _DRAINING_TIMEOUT},
    "ConnectionSettings": {"IdleTimeout": 60},
    "AdditionalAttributes": [{"Key": _DESYNC, "Value": "defensive"}],
}


@dataclass
class LoadBalancer(Registrations):
    """What moto does not keep of a load balancer. An instance without a reported health is REGISTERING.

    `instance_protocols` are those of the listeners, by port.
    """

    attributes: Values = field(default_factory=lambda: DEFAULT_ATTRIBUTES)
    instance_protocols: dict[int, ListenerProtocol] = field(default_factory=dict)

    @property
    def desync(self) -> Mode:
        """How it treats requests that are not to the letter."""
        named = {each["Key"]: each["Value"] for each in self.attributes["AdditionalAttributes"]}
        mode: Mode = named[_DESYNC]
        return mode

    def modify(self, asked: Values) -> None:
        """Sets the given attributes and keeps the others."""
        before = self.attributes["ConnectionDraining"]
        named = {each["Key"]: each["Value"] for each in self.attributes["AdditionalAttributes"]}
        named |= {each["Key"]: each["Value"] for each in asked.get("AdditionalAttributes") or []}
        self.attributes = {
            **self.attributes,
            **asked,
            "AdditionalAttributes": [{"Key": key, "Value": value} for key, value in named.items()],
        }
        if "ConnectionDraining" in asked:
            self.attributes["ConnectionDraining"] = {**before, **asked["ConnectionDraining"]}

    def listen(self, listeners: Collection[Mapping[str, Any]]) -> None:
        """Keeps what moto forgets of listeners. Without a protocol for the instances theirs is the listener's."""
        self.instance_protocols |= {
            int(each["LoadBalancerPort"]): (each.get("InstanceProtocol") or each["Protocol"]).upper()
            for each in listeners
        }

    def deregister(self, instances: Collection[str], now: float) -> None:
        """Removes instances. With connection draining, those in service drain first, at most for its timeout."""
        draining = self.attributes["ConnectionDraining"]
        for instance in instances:
            before = self.leave(instance)
            if draining["Enabled"] and before is not None and before.state == "InService":
                self.draining[instance] = now + draining["Timeout"]

    def health_of(self, instance: str) -> TargetHealth:
        """The health of a registered instance."""
        return self.reported.get(instance, REGISTERING)

    def health(self, registered: Collection[str], asked: Collection[str], now: float) -> dict[str, TargetHealth]:
        """The health of the instances in `asked`; if it is empty, of all that are registered or draining."""
        known = {name: self.health_of(name) for name in registered}
        known |= {name: DEREGISTERING for name in sorted(self.leaving(now)) if name not in known}
        return {name: known.get(name, NOT_REGISTERED) for name in asked or known}


def describe(instance: str, health: TargetHealth) -> Values:
    """The instance as DescribeInstanceHealth returns it."""
    return {
        "InstanceId": instance,
        "State": health.state,
        "ReasonCode": health.reason_code,
        "Description": health.description,
    }


def health(report: Values) -> TargetHealth:
    """The health in the report of a health checker. Raises AwsError: ValidationError."""
    state, reason = report.get("State"), report.get("ReasonCode", "N/A")
    if state not in _STATES or reason not in _REASONS:
        raise AwsError(
            "ValidationError",
            f"State is one of {sorted(_STATES)} and ReasonCode one of {sorted(_REASONS)}; got {report}",
        )
    return TargetHealth(state, reason, str(report.get("Description", "N/A")))
