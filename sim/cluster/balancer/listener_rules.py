"""The rules of an ALB's listener: which of them a request meets, and what it says.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final, Literal

from sim.cluster.citations import ALB_GUIDE, ELBV2_API, LeftOut, cites

if TYPE_CHECKING:
    from random import Random

Redirected = Literal["HTTP_301", "HTTP_302"]
LEFT_OUT: Final = (
    LeftOut(
        "the actions `authenticate-cognito` and `authenticate-oidc`",
        ELBV2_API + "Action.html",
        "they need an identity provider, which is no part of a cluster",
    ),
    LeftOut(
        "stickiness between the groups of a weighted forward",
        ALB_GUIDE + "sticky-sessions.html",
        "each request draws its group anew",
    ),
)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as the rules look at it. Header names are in lower case; `client` is the address that connected."""

    protocol: Literal["HTTP", "HTTPS"]
    host: str
    port: int
    path: str
    query: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    client: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: it is met by any of its values. `header` is the name for `http-header`."""

    what: Literal["host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"]
    values: tuple[str, ...]
    header: str = ""


@dataclass(frozen=True, slots=True)
class Forward:
    """To one of these target groups, each with its weight."""

    groups: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """Elsewhere. The parts may have `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`."""

    status: Redirected
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


@dataclass(frozen=True, slots=True)
class FixedResponse:
    """An answer of the load balancer."""

    status: int
    content_type: str = "text/plain"
    body: str = ""


ListenerAction = Forward | Redirect | FixedResponse


@dataclass(frozen=True, slots=True)
class ListenerRule:
    """A rule of a listener; the lowest priority comes first."""

    priority: int
    conditions: tuple[Condition, ...]
    action: ListenerAction


@cites(ALB_GUIDE + "listener-rules.html")
def action_for(rules: Sequence[ListenerRule], default: ListenerAction, request: Arrived) -> ListenerAction:
    """Rules are tried in the order of their priority, the default rule last; all conditions of a rule must be met."""
    for rule in sorted(rules, key=lambda rule: rule.priority):
        if all(meets(condition, request) for condition in rule.conditions):
            return rule.action
    return default


@cites(ELBV2_API + "RuleCondition.html")
def meets(condition: Condition, request: Arrived) -> bool:
    """A condition is met by one of its values: paths and methods with their case, all else without; `*` and `?` are
    wild in all but methods and addresses."""
    match condition.what:
        case "host-header":
            return any(_like(value, request.host, cased=False) for value in condition.values)
        case "path-pattern":
            return any(_like(value, request.path, cased=True) for value in condition.values)
        case "http-header":
            has = request.headers.get(condition.header.lower())
            return has is not None and any(_like(value, has, cased=False) for value in condition.values)
        case "http-request-method":
            return request.method in condition.values
        case "query-string":
            return any(_in_query(value, request.query) for value in condition.values)
        case "source-ip":
            client = ip_address(request.client)
            return any(client in ip_network(value) for value in condition.values)


@cites(ELBV2_API + "ForwardActionConfig.html")
def group_for(forward: Forward, chance: Random) -> str:
    """A request goes to a group as often as its weight is of the sum of all; a weight of 0 gets none."""
    groups, weights = zip(*forward.groups, strict=True)
    if not any(weights):
        return str(groups[0])
    return str(chance.choices(groups, weights)[0])


@cites(ELBV2_API + "RedirectActionConfig.html")
def location(redirect: Redirect, request: Arrived) -> str:
    """A redirect goes to the same place but for the parts that it names, always with a port."""
    query = "&".join(f"{key}={value}" if key else value for key, value in request.query)
    parts = {
        "protocol": request.protocol,
        "host": request.host,
        "port": str(request.port),
        "path": request.path.lstrip("/"),
        "query": query,
    }
    protocol, host, port, path, asked = (
        _filled(each, parts)
        for each in (redirect.protocol, redirect.host, redirect.port, redirect.path, redirect.query)
    )
    return f"{protocol.lower()}://{host}:{port}{path}{'?' + asked if asked else ''}"


def _in_query(value: str, query: Sequence[tuple[str, str]]) -> bool:
    """`key=value`, or a value alone, which any key may have."""
    key, sign, wanted = value.partition("=")
    if not sign:
        return any(_like(value, has, cased=False) for _, has in query)
    return any(_like(key, name, cased=False) and _like(wanted, has, cased=False) for name, has in query)


def _filled(template: str, parts: Mapping[str, str]) -> str:
    return re.sub(r"#\{(\w+)\}", lambda match: parts.get(match[1], match[0]), template)


def _like(pattern: str, text: str, *, cased: bool) -> bool:
    return _wild(pattern, cased=cased).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _wild(pattern: str, *, cased: bool) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(each, re.escape(each)) for each in pattern), 0 if cased else re.IGNORECASE)
