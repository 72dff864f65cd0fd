"""Corrections to moto's Application Load Balancers: targets with ports and their health, attributes, AWS's errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from sim.cloud.control_plane.call import AwsError, Call, Operations, Regional, Route, Values
from sim.cloud.control_plane.cluster import application_backends, backends
from sim.cloud.control_plane.cluster.application_backends import Group
from sim.cloud.control_plane.elbv2 import validation
from sim.cloud.control_plane.elbv2.models import (
    BALANCER_ATTRIBUTES,
    GROUP_ATTRIBUTES,
    TargetGroup,
    complete,
    describe,
)
from sim.cloud.control_plane.elbv2.rules import groups_of
from sim.cluster.aws_clock import THIS_MACHINES, AwsClock
from sim.cluster.desired import Place
from sim.cluster.target_health import TargetHealth

TargetGroups = Regional[defaultdict[str, TargetGroup]]
_PATH = "/_sim/<account>/<region>/elbv2/targetgroup/<name>/<id>/targets/<target>/health"


class Elbv2:
    """Keeps the targets of target groups, by the ARN of the group.

    A health checker reports the health of a target on a route: PUT with State, ReasonCode and Description, where State
    is InService or OutOfService; DELETE when it has drained.
    """

    def __init__(self, here: Callable[[], float], driven: Callable[[], bool], clock: AwsClock = THIS_MACHINES) -> None:
        """`here` is the time of this machine, by which targets drain. What is not run is refused while `driven`."""
        self._here = here
        self._driven = driven
        self._clock = clock
        self.known: TargetGroups = Regional(lambda: defaultdict(TargetGroup))
        self.operations: Operations = {
            "CreateListener": self.create_listener,
            "CreateLoadBalancer": self.create_load_balancer,
            "CreateRule": self.create_rule,
            "CreateTargetGroup": self.create_target_group,
            "DeleteLoadBalancer": self.delete_load_balancer,
            "DeleteTargetGroup": self.delete_target_group,
            "DeregisterTargets": self.deregister,
            "DescribeLoadBalancerAttributes": self.describe_load_balancer_attributes,
            "DescribeTargetGroupAttributes": self.describe_target_group_attributes,
            "DescribeTargetGroups": self.describe_target_groups,
            "DescribeTargetHealth": self.describe_health,
            "ModifyListener": self.modify_listener,
            "ModifyLoadBalancerAttributes": self.modify_load_balancer_attributes,
            "ModifyRule": self.modify_rule,
            "ModifyTargetGroup": self.modify_target_group,
            "ModifyTargetGroupAttributes": self.modify_target_group_attributes,
            "RegisterTargets": self.register,
        }
        self.routes: dict[str, Route] = {_PATH: self.report_health}

    def create_load_balancer(self, call: Call) -> Values:
        asked = call.parameters
        if self._driven():
            validation.refuse_balancer(asked)
        name = asked["Name"]
        validation.check_name(name)
        if any(each.name == name for each in application_backends.application_balancers(_place(call))):
            raise AwsError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
        if (asked.get("Type") or "application") == "application":
            mapped = [each["SubnetId"] for each in asked.get("SubnetMappings") or ()]
            validation.check_zones(backends.zones(_place(call), [*(asked.get("Subnets") or ()), *mapped]))
        # moto would leave it out of the description.
        return call.forward("CreateLoadBalancer", {"Scheme": "internet-facing", **asked})

    def delete_load_balancer(self, call: Call) -> Values:
        arn = call.parameters["LoadBalancerArn"]
        found = {each.arn: each for each in application_backends.application_balancers(_place(call))}.get(arn)
        if found and found.attributes.get("deletion_protection.enabled") == "true":
            raise AwsError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        return call.forward()

    def describe_load_balancer_attributes(self, call: Call) -> Values:
        return {"Attributes": complete(call.forward()["Attributes"], _defaults_of_balancer(call))}

    def modify_load_balancer_attributes(self, call: Call) -> Values:
        if self._driven():
            validation.refuse_attributes(call.parameters["Attributes"])
        return {"Attributes": complete(call.forward()["Attributes"], _defaults_of_balancer(call))}

    def create_target_group(self, call: Call) -> Values:
        if self._driven():
            validation.refuse_group(call.parameters)
        self._check_health_check(call.parameters)
        return call.forward()

    def modify_target_group(self, call: Call) -> Values:
        self._check_health_check(call.parameters)
        return call.forward()

    def delete_target_group(self, call: Call) -> Values:
        answer = call.forward()
        self.known.of(call).pop(call.parameters["TargetGroupArn"], None)
        return answer

    def describe_target_groups(self, call: Call) -> Values:
        answer = call.forward()
        balancers = list(application_backends.application_balancers(_place(call)))
        for each in answer["TargetGroups"]:
            # moto lists a load balancer once for each rule, and keeps those that are gone.
            each["LoadBalancerArns"] = [one.arn for one in balancers if each["TargetGroupArn"] in one.groups()]
        return answer

    def describe_target_group_attributes(self, call: Call) -> Values:
        return {"Attributes": complete(call.forward()["Attributes"], _defaults_of(self._group(call)))}

    def modify_target_group_attributes(self, call: Call) -> Values:
        defaults = _defaults_of(self._group(call))
        for each in call.parameters["Attributes"] if defaults else ():
            if each["Key"] not in defaults:
                raise AwsError("ValidationError", f"Target group attribute key '{each['Key']}' is not recognized")
        call.forward()
        named = {"TargetGroupArn": call.parameters["TargetGroupArn"]}
        found = call.forward("DescribeTargetGroupAttributes", named)["Attributes"]
        return {"Attributes": complete(found, defaults)}

    def create_listener(self, call: Call) -> Values:
        asked = call.parameters
        arn = asked["LoadBalancerArn"]
        self._check_actions(call, arn, asked["DefaultActions"])
        validation.check_listener(asked, [port for _, port in _listeners(call, arn)], arn)
        return call.forward()

    def modify_listener(self, call: Call) -> Values:
        asked = call.parameters
        arn, listener = _balancer_of(asked["ListenerArn"]), asked["ListenerArn"]
        self._check_actions(call, arn, asked.get("DefaultActions") or ())
        others = [port for each, port in _listeners(call, arn) if each != listener]
        validation.check_listener({"Port": asked.get("Port")}, others, arn)
        return call.forward()

    def create_rule(self, call: Call) -> Values:
        asked = call.parameters
        validation.check_priority(int(asked["Priority"]))
        self._check_rule(call)
        return call.forward()

    def modify_rule(self, call: Call) -> Values:
        self._check_rule(call)
        return call.forward()

    def register(self, call: Call) -> Values:
        """An instance can be registered with each of its ports."""
        group, asked = self._group(call), call.parameters["Targets"]
        states = backends.instance_states(_place(call))
        for each in asked:
            if each["Id"] not in states:
                raise AwsError("InvalidTarget", f"Instance ID '{each['Id']}' is not valid")
        still = [each["Id"] for each in asked if states[each["Id"]] != "running"]
        if still:
            raise AwsError(
                "InvalidTarget",
                "The following targets are not in a running state and cannot be registered: "
                + ", ".join(f"'{each}'" for each in still),
            )
        self.known.of(call)[group.arn].add(_targets(asked, group))
        return {}

    def deregister(self, call: Call) -> Values:
        group, known = self._group(call), self.known.of(call)
        wanted = {target for each in call.parameters["Targets"] for target in _named(each, known[group.arn])}
        known[group.arn].deregister(wanted, self._here(), delay_of(group))
        return {}

    def describe_health(self, call: Call) -> Values:
        group = self._group(call)
        asked = _targets(call.parameters.get("Targets") or (), group)
        used = group.arn in application_backends.used_groups(_place(call))
        found = self.known.of(call)[group.arn].health(asked, self._here(), used=used)
        return {"TargetHealthDescriptions": [describe(name, it, group.check_port) for name, it in found.items()]}

    def report_health(self, method: str, place: dict[str, str], body: Values) -> Values:
        """Keeps the health of a target that a health checker reports. At a DELETE, the target has drained.

        A report that names the `Registration` it is about counts for no other. Raises AwsError: ValidationError.
        """
        account, region = place["account"], place["region"]
        arn = f"arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{place['name']}/{place['id']}"
        group, target = self.known.at(account, region)[arn], place["target"]
        if method == "DELETE":
            group.drained(target)
        elif body.get("State") not in {"InService", "OutOfService"}:
            raise AwsError("ValidationError", f"State is InService or OutOfService; got {body}")
        elif target in group.registrations and body.get("Registration") in (None, group.registrations[target]):
            reason, description = str(body.get("ReasonCode", "")), str(body.get("Description", ""))
            group.report(target, TargetHealth(body["State"], reason, description))
        return {}

    def _group(self, call: Call) -> Group:
        found = application_backends.target_group(_place(call), call.parameters["TargetGroupArn"])
        if found is None:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return found

    def _check_rule(self, call: Call) -> None:
        asked = call.parameters
        if self._driven():
            validation.refuse_conditions(asked.get("Conditions") or ())
        listener = asked.get("ListenerArn") or asked["RuleArn"].replace(":listener-rule/", ":listener/", 1)
        self._check_actions(call, _balancer_of(listener), asked.get("Actions") or ())

    def _check_actions(self, call: Call, balancer: str, actions: Iterable[Values]) -> None:
        """A target group belongs to one load balancer."""
        if self._driven():
            validation.refuse_actions(actions)
        asked = {arn for each in actions for arn, _ in groups_of(each)}
        for other in application_backends.application_balancers(_place(call)):
            if other.arn != balancer and (taken := asked & other.groups()):
                raise AwsError(
                    "TargetGroupAssociationLimit",
                    "The following target groups cannot be associated with more than one load balancer: "
                    + ", ".join(sorted(taken)),
                )

    def _check_health_check(self, asked: Values) -> None:
        validation.check_health_check(asked)
        interval, timeout = asked.get("HealthCheckIntervalSeconds"), asked.get("HealthCheckTimeoutSeconds")
        if wrong := self._clock.too_fast(float(interval or 30), float(timeout or 5)):
            raise AwsError("ValidationError", wrong)


def delay_of(group: Group) -> float:
    """The deregistration delay of a target group, in seconds."""
    return float(group.attributes["deregistration_delay.timeout_seconds"])


def _defaults_of(group: Group) -> Mapping[str, str]:
    """The defaults of a target group's attributes; none for a group that no ALB can have."""
    return GROUP_ATTRIBUTES if group.target_type == "instance" and group.protocol in {"HTTP", "HTTPS"} else {}


def _defaults_of_balancer(call: Call) -> Mapping[str, str]:
    """The defaults of the attributes of the call's load balancer; none if it is no ALB."""
    arn = call.parameters["LoadBalancerArn"]
    albs = (each.arn for each in application_backends.application_balancers(_place(call)))
    return BALANCER_ATTRIBUTES if arn in albs else {}


def _place(call: Call) -> Place:
    return Place(call.account, call.region)


def _listeners(call: Call, balancer: str) -> list[tuple[str, int]]:
    """The ARN and the port of each listener of a load balancer."""
    return [
        (listener.arn, listener.port)
        for each in application_backends.application_balancers(_place(call))
        if each.arn == balancer
        for listener in each.listeners
    ]


def _balancer_of(listener: str) -> str:
    """The ARN of the load balancer of a listener or a rule: `.../app/NAME/ID`."""
    head, _, rest = listener.partition(":listener/")
    return f"{head}:loadbalancer/{'/'.join(rest.split('/')[:3])}"


def _targets(asked: Iterable[Values], group: Group) -> list[str]:
    """The ids of targets; one without a port has that of the group."""
    return [f"{each['Id']}:{each.get('Port') or group.port}" for each in asked]


def _named(asked: Values, group: TargetGroup) -> list[str]:
    """The targets that DeregisterTargets names; without a port all of the instance.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html
    """
    port = asked.get("Port")
    return [f"{asked['Id']}:{port}"] if port else group.of_instances({asked["Id"]})
