"""Asks Elastic Load Balancing what load balancers there are, and how they see their targets.

https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DescribeInstanceHealth.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.watch.counting import Rarely
from sim.watch.observed import Described, SeenApplication, SeenGroup


def instance_health(elb: Any) -> dict[str, Sequence[Described]]:
    """The states of the instances of each Classic ELB, by its name. `elb` is a client of boto3."""
    found = _all(elb, "describe_load_balancers", "LoadBalancerDescriptions")
    names = [each["LoadBalancerName"] for each in found]
    return {each: elb.describe_instance_health(LoadBalancerName=each)["InstanceStates"] for each in names}


class Applications:
    """Looks at the ALBs and target groups of a region. `elbv2` is a client of boto3."""

    def __init__(self, elbv2: Any) -> None:
        self._elbv2 = elbv2
        self._balancers = Rarely(self._ask_for_balancers)
        self._groups = Rarely(lambda: _all(elbv2, "describe_target_groups", "TargetGroups"))

    def balancers(self) -> Sequence[SeenApplication]:
        """The ALBs with the rules of their listeners. Raises what boto3 raises."""
        return self._balancers.answer()

    def groups(self) -> Sequence[SeenGroup]:
        """The target groups with their targets. Raises what boto3 raises."""
        gone = self._elbv2.exceptions.TargetGroupNotFoundException
        found = []
        for each in self._groups.answer():
            try:
                answer = self._elbv2.describe_target_health(TargetGroupArn=each["TargetGroupArn"])
            except gone:
                continue
            found.append(SeenGroup(each, answer["TargetHealthDescriptions"]))
        return found

    def _ask_for_balancers(self) -> Sequence[SeenApplication]:
        found = _all(self._elbv2, "describe_load_balancers", "LoadBalancers")
        return [SeenApplication(each, self._rules(each["LoadBalancerArn"])) for each in found]

    def _rules(self, balancer: str) -> dict[int, Sequence[Described]]:
        """The rules of each listener, by its port."""
        listeners = _all(self._elbv2, "describe_listeners", "Listeners", LoadBalancerArn=balancer)
        return {
            each["Port"]: _all(self._elbv2, "describe_rules", "Rules", ListenerArn=each["ListenerArn"])
            for each in listeners
        }


def _all(client: Any, operation: str, member: str, **asked: str) -> list[Described]:
    """What all pages of an operation have in this member."""
    return [each for page in client.get_paginator(operation).paginate(**asked) for each in page[member]]
