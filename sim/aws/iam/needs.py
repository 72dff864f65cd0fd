"""What a call needs: the actions that have to be allowed, each on a resource, and the condition keys that it brings.

A rule turns the parameters of an operation, as boto3 takes them, into needs. `operations.py` has the rules. The names
of actions, resources and keys are those of https://docs.aws.amazon.com/service-authorization/latest/reference/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Parameters = Mapping[str, Any]
ALL = "*"
"""The resource of an action that no resource can be named for."""


@dataclass(frozen=True)
class Destination:
    """Where a call goes: names in parameters become ARNs of this region and account."""

    region: str
    account: str
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True)
class Need:
    """An action that has to be allowed on a resource. `keys` are those that the call itself brings."""

    action: str
    resource: str
    keys: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


Rule = Callable[[Parameters, Destination], list[Need]]
Resources = Callable[[Parameters, Destination], list[str]]
Keys = Callable[[Parameters, Destination], Mapping[str, str | Sequence[str]]]


def nothing(parameters: Parameters, destination: Destination) -> list[Need]:
    """The rule of an operation that everybody may call."""
    del parameters, destination
    return []


def everything(parameters: Parameters, destination: Destination) -> list[str]:
    """The resources of an action that knows none."""
    del parameters, destination
    return [ALL]


def on(action: str, resources: Resources, keys: Keys | None = None) -> Rule:
    """The rule of an operation that needs one action, on each of the resources."""

    def needs(parameters: Parameters, destination: Destination) -> list[Need]:
        brought = keys(parameters, destination) if keys else {}
        return [Need(action, resource, brought) for resource in resources(parameters, destination)]

    return needs


def also(*rules: Rule) -> Rule:
    """The rule of an operation that needs all that several rules say."""
    return lambda parameters, destination: [need for rule in rules for need in rule(parameters, destination)]


def where(parameter: str, rule: Rule) -> Rule:
    """A rule for the calls that have a parameter."""
    return lambda parameters, destination: rule(parameters, destination) if parameters.get(parameter) else []


def values(parameters: Parameters, name: str) -> list[str]:
    """The values of a parameter, which may be a list; `*` if there are none."""
    value = parameters.get(name)
    return [str(each) for each in value] if isinstance(value, list | tuple) and value else [str(value or ALL)]


def named(service: str, resource: str, parameter: str) -> Resources:
    """The ARNs of what a parameter names. `resource` is their last part, with `{}` for a name that is no ARN itself."""

    def arns(parameters: Parameters, destination: Destination) -> list[str]:
        return [
            each if each.startswith("arn:") else destination.arn(service, resource.format(each))
            for each in values(parameters, parameter)
        ]

    return arns


def key(name: str, parameter: str) -> Keys:
    """The condition key with the value of a parameter, if the call has it."""
    return lambda parameters, _: {name: str(parameters[parameter])} if parameters.get(parameter) is not None else {}
