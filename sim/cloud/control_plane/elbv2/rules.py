"""Rules of a listener as the API has them, made into those of `sim.cluster.balancer.listener_rules`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sim.cluster.balancer.listener_rules import Condition, FixedResponse, Forward, ListenerAction, Redirect

_CONFIGS: Final = {
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "path-pattern": "PathPatternConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
SERVED: Final = frozenset({"forward", "redirect", "fixed-response"})
"""The types of actions that the local cluster's ALBs carry out."""
_REDIRECT: Final = {"Protocol": "protocol", "Host": "host", "Port": "port", "Path": "path", "Query": "query"}


def action_of(actions: Sequence[Mapping[str, Any]]) -> ListenerAction:
    """What a rule does. An action that is not carried out is an answer that says so.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
    """
    ordered = sorted(actions, key=lambda each: int(each.get("Order") or 1))
    for each in ordered:
        if each["Type"] not in SERVED:
            return FixedResponse(500, body=f"The local cluster does not carry out the action {each['Type']}.")
    last = ordered[-1]
    match last["Type"]:
        case "redirect":
            config = last["RedirectConfig"]
            parts = {ours: str(config[name]) for name, ours in _REDIRECT.items() if config.get(name)}
            if config.get("Query") == "":
                parts["query"] = ""
            return Redirect(config["StatusCode"], **parts)
        case "fixed-response":
            config = last["FixedResponseConfig"]
            kind, body = config.get("ContentType") or "text/plain", config.get("MessageBody") or ""
            return FixedResponse(int(config["StatusCode"]), kind, body)
    return Forward(tuple(groups_of(last)))


def groups_of(action: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The target groups that an action forwards to, by their ARNs, each with its weight."""
    if action["Type"] != "forward":
        return
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
    for each in groups:
        yield each["TargetGroupArn"], int(each.get("Weight", 1))
    if not groups:
        yield action["TargetGroupArn"], 1


def conditions_of(conditions: Iterable[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html"""
    return tuple(_condition(each) for each in conditions)


def _condition(given: Mapping[str, Any]) -> Condition:
    field = given["Field"]
    config = given.get(_CONFIGS[field]) or {}
    values = config.get("Values") or given.get("Values") or ()
    if field == "query-string":
        values = [f"{each['Key']}={each['Value']}" if each.get("Key") else str(each["Value"]) for each in values]
    return Condition(field, tuple(values), config.get("HttpHeaderName") or "")
