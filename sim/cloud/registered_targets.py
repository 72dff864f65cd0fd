"""What every load balancer of a region says of its targets, Classic ELBs and ALBs alike.

https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DescribeInstanceHealth.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from boto3 import Session


@dataclass(frozen=True, slots=True)
class Registered:
    """A target, in the words of its API: `state` is `InService` and so on, or, of a target group, `healthy` and so on.

    `target` is the instance, with its port where it is of a target group, whose name `behind` is then.
    """

    behind: str
    instance: str
    target: str
    state: str
    reason: str

    @property
    def serves(self) -> bool:
        """True if it gets requests."""
        return self.state in {"InService", "healthy"}


def registered_targets(session: Session, endpoint: str) -> list[Registered]:
    """All of them. Raises what boto3 raises."""
    return [*_of_classic(_client(session, "elb", endpoint)), *_of_groups(_client(session, "elbv2", endpoint))]


def _client(session: Session, service: str, endpoint: str) -> Any:
    return session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]  # by name


def _of_classic(elb: Any) -> Iterator[Registered]:
    for balancer in elb.describe_load_balancers()["LoadBalancerDescriptions"]:
        name = balancer["LoadBalancerName"]
        for each in elb.describe_instance_health(LoadBalancerName=name)["InstanceStates"]:
            yield Registered(name, each["InstanceId"], each["InstanceId"], each["State"], each["Description"])


def _of_groups(elbv2: Any) -> Iterator[Registered]:
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        found = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        for each in found:
            instance, health = each["Target"]["Id"], each["TargetHealth"]
            target = f"{instance}:{each['Target']['Port']}"
            yield Registered(group["TargetGroupName"], instance, target, health["State"], health.get("Description", ""))
