"""What a load balancer knows of a target, in the words of its API.

https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_InstanceState.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["InService", "OutOfService", "Unknown"]


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """One target at one moment. The texts are AWS's, to the letter.

    The reason code of a Classic ELB is `ELB`, `Instance` or `N/A`, that of a target group a name such as
    `Target.Timeout`.
    """

    state: State
    reason_code: str
    description: str


def instance_of(target: str) -> str:
    """The EC2 instance of a target, by the target's id."""
    return target.partition(":")[0]


@dataclass(frozen=True, slots=True)
class RegisteredTarget:
    """Where a load balancer sends requests.

    The id is the EC2 instance id for a Classic ELB, and `instance-id:port` for a target group. The address is where
    the checks and the requests of the balancer go.
    """

    id: str
    zone: str
    host: str
    port: int
