"""Corrections to moto's Classic ELB: attributes, DNS names, and the health of instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from sim.cloud.control_plane.call import Call, Operations, Regional, Route, Values
from sim.cloud.control_plane.elb.models import LoadBalancer, health


class Elb:
    """Keeps what moto does not keep of a load balancer, by the name of the load balancer.

    The control plane does not check instances. A health checker reports their health on a route, since AWS has no API
    for that: PUT with State, ReasonCode and Description as in an InstanceState; DELETE when an instance has drained.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._known: Regional[defaultdict[str, LoadBalancer]] = Regional(lambda: defaultdict(LoadBalancer))
        self.operations: Operations = {
            "CreateLoadBalancer": self.create,
            "DeleteLoadBalancer": self.delete,
            "DeregisterInstancesFromLoadBalancer": self.deregister,
            "DescribeInstanceHealth": self.describe_health,
            "DescribeLoadBalancerAttributes": self.describe_attributes,
            "DescribeLoadBalancers": self.describe,
            "ModifyLoadBalancerAttributes": self.modify_attributes,
            "RegisterInstancesWithLoadBalancer": self.register,
        }
        self.routes: dict[str, Route] = {
            "/_sim/<account>/<region>/elb/<load_balancer>/instances/<instance>/health": self.report_health
        }

    def create(self, call: Call) -> Values:
        answer = call.forward()
        self._known.of(call)[call.parameters["LoadBalancerName"]] = LoadBalancer()
        return answer | {"DNSName": _in_region(answer["DNSName"], call.region)}

    def delete(self, call: Call) -> Values:
        self._known.of(call).pop(call.parameters["LoadBalancerName"], None)
        return call.forward()

    def describe(self, call: Call) -> Values:
        answer = call.forward()
        for each in answer["LoadBalancerDescriptions"]:
            for name in ("DNSName", "CanonicalHostedZoneName"):
                if each.get(name):
                    each[name] = _in_region(each[name], call.region)
        return answer

    def modify_attributes(self, call: Call) -> Values:
        answer = call.forward()
        self._of(call).modify(call.parameters["LoadBalancerAttributes"])
        return answer | {"LoadBalancerAttributes": call.parameters["LoadBalancerAttributes"]}

    def describe_attributes(self, call: Call) -> Values:
        return call.forward() | {"LoadBalancerAttributes": self._of(call).attributes}

    def register(self, call: Call) -> Values:
        """Registers instances. An instance that is registered already keeps its health."""
        before = _registered(call)
        call.forward()
        for instance in _asked(call):
            if instance not in before:
                self._of(call).reported.pop(instance, None)
        return {"Instances": [{"InstanceId": each} for each in _registered(call)]}

    def deregister(self, call: Call) -> Values:
        before = set(_registered(call))
        call.forward()
        self._of(call).deregister([each for each in _asked(call) if each in before], self._now())
        return {"Instances": [{"InstanceId": each} for each in _registered(call)]}

    def describe_health(self, call: Call) -> Values:
        return {"InstanceStates": self._of(call).health(_registered(call), _asked(call), self._now())}

    def report_health(self, method: str, place: dict[str, str], body: Values) -> Values:
        """Keeps the health of an instance that a health checker reports, or forgets it at a DELETE."""
        balancer = self._known.at(place["account"], place["region"])[place["load_balancer"]]
        if method == "DELETE":
            balancer.reported.pop(place["instance"], None)
        else:
            balancer.report(place["instance"], health(body))
        return {}

    def _of(self, call: Call) -> LoadBalancer:
        return self._known.of(call)[call.parameters["LoadBalancerName"]]


def _asked(call: Call) -> list[str]:
    return [each["InstanceId"] for each in call.parameters.get("Instances") or []]


def _registered(call: Call) -> list[str]:
    """The instances that moto has for the load balancer. Raises LoadBalancerNotFound."""
    named = {"LoadBalancerNames": [call.parameters["LoadBalancerName"]]}
    found = call.forward("DescribeLoadBalancers", named)["LoadBalancerDescriptions"]
    return [each["InstanceId"] for each in found[0].get("Instances") or []]


def _in_region(name: str, region: str) -> str:
    """The DNS name in the given region. moto puts all names in us-east-1."""
    return name.replace(".us-east-1.", f".{region}.")
