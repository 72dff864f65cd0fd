"""A Classic ELB's attributes, and the reported health of its instances.

https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_LoadBalancerAttributes.html
https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_InstanceState.html
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sim.cloud.control_plane.call import AwsError, Values

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


@dataclass(frozen=True)
class Health:
    """The health of one instance. With `until`, the report expires then."""

    state: str
    reason: str = "N/A"
    description: str = "N/A"
    until: datetime | None = None

    def describe(self, instance: str) -> Values:
        """The instance as DescribeInstanceHealth returns it."""
        return {
            "InstanceId": instance,
            "State": self.state,
            "ReasonCode": self.reason,
            "Description": self.description,
        }


REGISTERING = Health("OutOfService", "ELB", "Instance registration is still in progress.")
UNKNOWN = Health("OutOfService", "Instance", "Instance is not currently registered with the LoadBalancer.")


@dataclass
class LoadBalancer:
    """What moto does not keep of a load balancer. An instance without a reported health is REGISTERING."""

    attributes: Values = field(default_factory=lambda: DEFAULT_ATTRIBUTES)
    reported: dict[str, Health] = field(default_factory=dict)

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

    def report(self, instance: str, found: Health) -> None:
        """Keeps the health of an instance. One that drains goes on draining: the report is older than that."""
        if not self._drains(instance):
            self.reported[instance] = found

    def deregister(self, instances: Collection[str], now: datetime) -> None:
        """Removes instances. With connection draining, those in service drain first, at most for its timeout."""
        draining = self.attributes["ConnectionDraining"]
        for instance in instances:
            before = self.reported.pop(instance, REGISTERING)
            if draining["Enabled"] and before.state == "InService":
                until = now + timedelta(seconds=draining["Timeout"])
                doing = "Instance deregistration currently in progress."
                self.reported[instance] = Health("InService", description=doing, until=until)

    def _drains(self, instance: str) -> bool:
        known = self.reported.get(instance)
        return known is not None and known.until is not None

    def health(self, registered: Collection[str], asked: Collection[str], now: datetime) -> list[Values]:
        """The health of the instances in `asked`; if it is empty, of all that are registered or draining."""
        self.reported = {name: each for name, each in self.reported.items() if each.until is None or each.until > now}
        draining = [name for name, each in self.reported.items() if each.until and name not in registered]
        known = {name: self.reported.get(name, REGISTERING) for name in (*registered, *draining)}
        return [known.get(name, UNKNOWN).describe(name) for name in asked or known]


def health(report: Values) -> Health:
    """The health in the report of a health checker. Raises AwsError: ValidationError."""
    state, reason = report.get("State"), report.get("ReasonCode", "N/A")
    if state not in _STATES or reason not in _REASONS:
        raise AwsError(
            "ValidationError",
            f"State is one of {sorted(_STATES)} and ReasonCode one of {sorted(_REASONS)}; got {report}",
        )
    return Health(state, reason, str(report.get("Description", "N/A")))
