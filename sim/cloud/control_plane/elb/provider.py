"""Corrections to moto's Classic ELB: attributes, DNS names, and the health of instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from sim.cloud.control_plane.call import AwsError, Call, Operations, Regional, Route, Values
from sim.cloud.control_plane.elb.models import LoadBalancer, describe, health
from sim.cluster.aws_clock import THIS_MACHINES, AwsClock


class Elb:
    """Keeps what moto does not keep of a load balancer, by the name of the load balancer.

    The control plane does not check instances. A health checker reports their health on a route, since AWS has no API
    for that: PUT with State, ReasonCode and Description as in an InstanceState; DELETE when an instance has drained.
    """

    def __init__(self, here: Callable[[], float], clock: AwsClock = THIS_MACHINES) -> None:
        """`here` is the time of this machine, by which instances drain; health checks come by AWS's clock."""
        self._here = here
        self._clock = clock
        self.known: Regional[defaultdict[str, LoadBalancer]] = Regional(lambda: defaultdict(LoadBalancer))
        self.operations: Operations = {
            "ConfigureHealthCheck": self.configure_health_check,
            "CreateLoadBalancer": self.create,
            "CreateLoadBalancerListeners": self.create_listeners,
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

    def configure_health_check(self, call: Call) -> Values:
        """Refuses a check that would come before its time-out is over. Raises AwsError: ValidationError."""
        asked = call.parameters["HealthCheck"]
        if wrong := self._clock.too_fast(float(asked["Interval"]), float(asked["Timeout"])):
            raise AwsError("ValidationError", wrong)
        return call.forward()

    def create(self, call: Call) -> Values:
        answer = call.forward()
        made = self.known.of(call)[call.parameters["LoadBalancerName"]] = LoadBalancer()
        made.listen(call.parameters["Listeners"])
        return answer | {"DNSName": in_region(answer["DNSName"], call.region)}

    def create_listeners(self, call: Call) -> Values:
        answer = call.forward()
        self._of(call).listen(call.parameters["Listeners"])
        return answer

    def delete(self, call: Call) -> Values:
        self.known.of(call).pop(call.parameters["LoadBalancerName"], None)
        return call.forward()

    def describe(self, call: Call) -> Values:
        answer = call.forward()
        for each in answer["LoadBalancerDescriptions"]:
            protocols = self.known.of(call)[each["LoadBalancerName"]].instance_protocols
            for name in ("DNSName", "CanonicalHostedZoneName"):
                if each.get(name):
                    each[name] = in_region(each[name], call.region)
            for listener in (described["Listener"] for described in each["ListenerDescriptions"]):
                known = protocols.get(int(listener["LoadBalancerPort"]))
                listener["InstanceProtocol"] = known or listener["InstanceProtocol"]
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
        new = [each for each in dict.fromkeys(_asked(call)) if each not in before]
        if new:
            # moto would list an instance twice that is registered twice.
            wanted = {**call.parameters, "Instances": [{"InstanceId": each} for each in new]}
            call.forward("RegisterInstancesWithLoadBalancer", wanted)
            self._of(call).register(new)
        return {"Instances": [{"InstanceId": each} for each in _registered(call)]}

    def deregister(self, call: Call) -> Values:
        before = set(_registered(call))
        call.forward()
        self._of(call).deregister([each for each in _asked(call) if each in before], self._here())
        return {"Instances": [{"InstanceId": each} for each in _registered(call)]}

    def describe_health(self, call: Call) -> Values:
        found = self._of(call).health(_registered(call), _asked(call), self._here())
        return {"InstanceStates": [describe(name, each) for name, each in found.items()]}

    def report_health(self, method: str, place: dict[str, str], body: Values) -> Values:
        """Keeps the health of an instance that a health checker reports. At a DELETE, the instance has drained.

        A report that names the `Registration` it is about counts for no other.
        """
        balancer = self.known.at(place["account"], place["region"])[place["load_balancer"]]
        instance = place["instance"]
        if method == "DELETE":
            balancer.drained(instance)
        elif body.get("Registration") in (None, balancer.registrations.get(instance)):
            balancer.report(instance, health(body))
        return {}

    def _of(self, call: Call) -> LoadBalancer:
        return self.known.of(call)[call.parameters["LoadBalancerName"]]


def _asked(call: Call) -> list[str]:
    return [each["InstanceId"] for each in call.parameters.get("Instances") or []]


def _registered(call: Call) -> list[str]:
    """The instances that moto has for the load balancer. Raises LoadBalancerNotFound."""
    named = {"LoadBalancerNames": [call.parameters["LoadBalancerName"]]}
    found = call.forward("DescribeLoadBalancers", named)["LoadBalancerDescriptions"]
    return [each["InstanceId"] for each in found[0].get("Instances") or []]


def in_region(name: str, region: str) -> str:
    """The DNS name in the given region. moto puts all names in us-east-1."""
    return name.replace(".us-east-1.", f".{region}.")
