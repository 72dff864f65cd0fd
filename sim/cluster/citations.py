"""Where each rule of the cluster comes from.

A rule is a function. The first sentence of its docstring says the rule. One of two decorators says how we know it:

- `@cites(page)`: AWS, or an account that was seen, says so on that page.
- `@inferred(reason)`: no source says so outright. The reason is why we think so.

What AWS does and the cores do not is a value of a module's `LEFT_OUT`. A test that proves a rule carries
`@proves(the_function)` of `tests.unit.cluster.proves`. `checks/fidelity.py` makes `docs/fidelity.md` from all three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

ECS_API: Final = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_"
ECS_GUIDE: Final = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
ELB_API: Final = "https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_"
ELB_GUIDE: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/"
ELBV2_API: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_"
ALB_GUIDE: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"
CLOUDWATCH_API: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_"
CLOUDWATCH_GUIDE: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/"
SCALING_API: Final = "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_"
SCALING_GUIDE: Final = "https://docs.aws.amazon.com/autoscaling/application/userguide/"
ASG_API: Final = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_"
ASG_GUIDE: Final = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/"

_Function = TypeVar("_Function", bound=Callable[..., Any])
_RULE: Final = "__rule__"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a rule is known: a page for one that is cited, a reason for one that is inferred."""

    says: str
    page: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that AWS does and the core does not, with AWS's page and the reason."""

    what: str
    page: str
    reason: str


def cites(page: str) -> Callable[[_Function], _Function]:
    """Marks a function as a rule that this page states."""
    return lambda function: _marked(function, page=page)


def inferred(reason: str) -> Callable[[_Function], _Function]:
    """Marks a function as a rule that no page states, with the reason for it."""
    return lambda function: _marked(function, reason=reason)


def rule_of(function: object) -> Rule | None:
    """The rule that the function is, if it is one."""
    rule = getattr(function, _RULE, None)
    return rule if isinstance(rule, Rule) else None


def _marked(function: _Function, *, page: str = "", reason: str = "") -> _Function:
    says = " ".join((function.__doc__ or "").partition("\n\n")[0].split())
    vars(function)[_RULE] = Rule(says, page, reason)
    return function
