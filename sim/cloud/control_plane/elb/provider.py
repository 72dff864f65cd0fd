"""Corrections to moto's Classic ELB: attributes, DNS names, and the health of instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sim.cloud.control_plane.call import AwsError, Call, Operations, Regional, Route, Values
from sim.cloud.control_plane.elb.models import LoadBalancer, describe, health
from sim.cluster.aws_clock import THIS_MACHINES, AwsClock
from sim.cluster.balancer.checks import HealthCheck

HOSTED_ZONES: Final[Mapping[str, str]] = {
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5",
    "ca-central-1": "ZQSVJUPU6J1EY",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-north-1": "Z23TAZ6LKFMNIO",
    "eu-west-1": "Z32O12XQLNTSW2",
    "eu-west-2": "ZHURV8PSTC4K8",
    "eu-west-3": "Z3Q77PNBQS71R4",
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-northeast-2": "ZWKZPGTI48KDX",
    "ap-south-1": "ZP97RAFLXTNZK",
    "ap-southeast-1": "Z1LMS91P8CMLE5",
    "ap-southeast-2": "Z1GM3OXH4ZPM65",
    "sa-east-1": "Z2P70J7HTTTPLU",
}
"""The hosted zone of Route 53 that the load balancers of a region are in.

https://docs.aws.amazon.com/general/latest/gr/elb.html
"""


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
            "DescribeLoadBalancerPolicies": self.describe_policies,
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
        check = default_health_check(call.parameters["Listeners"])
        call.forward(
            "ConfigureHealthCheck", {"LoadBalancerName": call.parameters["LoadBalancerName"], "HealthCheck": check}
        )
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
            if zone := HOSTED_ZONES.get(call.region):
                each["CanonicalHostedZoneNameID"] = zone
            for listener in (described["Listener"] for described in each["ListenerDescriptions"]):
                known = protocols.get(int(listener["LoadBalancerPort"]))
                listener["InstanceProtocol"] = known or listener["InstanceProtocol"]
        return answer

    def describe_policies(self, call: Call) -> Values:
        """Adds the attributes of cookie stickiness policies."""
        answer = call.forward()
        kept = _policies(call)
        for each in answer["PolicyDescriptions"]:
            if attributes := cookie_attributes(kept[each["PolicyName"]]):
                each["PolicyAttributeDescriptions"] = attributes
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


def default_health_check(listeners: Sequence[Mapping[str, Any]]) -> Values:
    """The health check of a load balancer for which none is set: a connection to the first listener's instance port.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-healthchecks.html
    """
    check = HealthCheck()
    return {
        "Target": f"TCP:{listeners[0]['InstancePort']}",
        "Interval": int(check.interval),
        "Timeout": int(check.timeout),
        "UnhealthyThreshold": check.unhealthy,
        "HealthyThreshold": check.healthy,
    }


def cookie_attributes(policy: Any) -> list[Values]:
    """The attributes of moto's record of a cookie stickiness policy; none of another policy.

    https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DescribeLoadBalancerPolicies.html
    """
    match policy.policy_type_name:
        case "AppCookieStickinessPolicy":
            return [{"AttributeName": "CookieName", "AttributeValue": policy.cookie_name}]
        case "LbCookieStickinessPolicy":
            period = policy.cookie_expiration_period or 0
            return [{"AttributeName": "CookieExpirationPeriod", "AttributeValue": str(period)}]
        case _:
            return []


def _policies(call: Call) -> dict[str, Any]:
    """moto's records of the load balancer's policies, by name."""
    from moto.elb.models import elb_backends  # noqa: PLC0415 - LocalStack loads its services late

    found = elb_backends[call.account][call.region].get_load_balancer(call.parameters["LoadBalancerName"])
    return {each.policy_name: each for each in found.policies}


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
