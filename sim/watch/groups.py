"""Target groups of a picture, their targets, and the rules that lead to them, of what AWS says about them. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sim.watch.observed import Described, SeenApplication, SeenCluster, SeenGroup
from sim.watch.picture import Registration

HEALTHY: Final = "healthy"
_LEAVING: Final = "draining"
_DEFAULT: Final = "default"
"""The priority of the rule that comes last."""

_SHORT: Final = {"host-header": "host", "http-request-method": "method", "path-pattern": "path"}

Address = tuple[str, int]
"""A target: an EC2 instance and a port of it."""


def name_of(arn: str) -> str:
    """The name of a target group, of its ARN, which ends with `targetgroup/NAME/ID`."""
    return arn.rpartition("targetgroup/")[2].partition("/")[0]


def health(group: SeenGroup) -> list[bool]:
    """For each target that is not about to leave, whether it is healthy."""
    states = (each["TargetHealth"]["State"] for each in group.targets)
    return [state == HEALTHY for state in states if state != _LEAVING]


def states(group: SeenGroup) -> dict[str, int]:
    """How many targets are in each state, in AWS's words."""
    return dict(sorted(Counter(each["TargetHealth"]["State"] for each in group.targets).items()))


def registrations(seen: SeenCluster) -> dict[Address, dict[str, Registration]]:
    """How target groups see each target, by `NAME:PORT`."""
    found: defaultdict[Address, dict[str, Registration]] = defaultdict(dict)
    for group in seen.groups:
        for each in group.targets:
            target, now = each["Target"], each["TargetHealth"]
            key = f"{group.described['TargetGroupName']}:{target['Port']}"
            found[target["Id"], target["Port"]][key] = Registration(now["State"], now.get("Description", ""))
    return dict(found)


def addresses(task: Described, instance: str) -> Iterator[Address]:
    """Where the containers of a task are reached: the ports of its instance that they were given."""
    for container in task["containers"]:
        for binding in container.get("networkBindings", ()):
            yield instance, binding["hostPort"]


def targets_of(application: SeenApplication, groups: Sequence[SeenGroup]) -> list[bool]:
    """For each target of the groups that an ALB forwards to, whether it is healthy; see `health`."""
    forwarded = {arn for _, rule in _rules(application) for arn, _ in _forwarded(rule)}
    mine = [each for each in groups if each.described["TargetGroupArn"] in forwarded]
    return [good for each in mine for good in health(each)]


def led_to(group: SeenGroup, applications: Sequence[SeenApplication]) -> tuple[str, ...]:
    """What leads to a target group: load balancer, port, the conditions of the rule, and its share if it has one."""
    return tuple(
        f"{application.described['LoadBalancerName']} {_when(port, rule)}{share}"
        for application in applications
        for port, rule in _rules(application)
        for arn, share in _forwarded(rule)
        if arn == group.described["TargetGroupArn"]
    )


def own_answers(application: SeenApplication) -> tuple[str, ...]:
    """What the load balancer answers by itself: when, and with what."""
    answers = ((port, rule, _answer(rule)) for port, rule in _rules(application))
    return tuple(f"{_when(port, rule)}: {answer}" for port, rule, answer in answers if answer)


def _rules(application: SeenApplication) -> Iterator[tuple[int, Described]]:
    """Each rule with the port of its listener, in the order in which they are tried."""
    for port, rules in sorted(application.rules.items()):
        for rule in sorted(rules, key=_order):
            yield port, rule


def _order(rule: Described) -> float:
    return float("inf") if rule["Priority"] == _DEFAULT else int(rule["Priority"])


def _when(port: int, rule: Described) -> str:
    conditions = map(_condition, rule.get("Conditions", ()))
    return ", ".join([f"port {port}", *conditions])


def _condition(condition: Described) -> str:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html"""
    config: Mapping[str, Any] = next((value for name, value in condition.items() if name.endswith("Config")), {})
    values = config.get("Values") or condition.get("Values", ())
    words = " or ".join(each if isinstance(each, str) else _pair(each) for each in values)
    field = str(condition["Field"])
    return f"{config.get('HttpHeaderName') or _SHORT.get(field, field)} {words}"


def _pair(value: Mapping[str, str]) -> str:
    """A value of a query string."""
    return "=".join(filter(None, (value.get("Key"), value["Value"])))


def _last(rule: Described) -> Described:
    """The action that routes: the others, such as a login, come before it.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
    """
    action: Described = max(rule["Actions"], key=lambda each: each.get("Order") or 1)
    return action


def _forwarded(rule: Described) -> Iterator[tuple[str, str]]:
    """The ARNs of the target groups that a rule forwards to, each with its share where there are several."""
    action = _last(rule)
    if action["Type"] != "forward":
        return
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    total = sum(each.get("Weight", 1) for each in groups)
    for each in groups:
        share = f", {each.get('Weight', 1) / total:.0%}" if len(groups) > 1 and total else ""
        yield each["TargetGroupArn"], share


def _answer(rule: Described) -> str:
    action = _last(rule)
    match action["Type"]:
        case "redirect":
            config = action["RedirectConfig"]
            return f"redirects, {config['StatusCode'].removeprefix('HTTP_')}"
        case "fixed-response":
            return f"answers {action['FixedResponseConfig']['StatusCode']}"
    return ""
