"""The header `X-Amzn-Trace-Id`, by which an ALB traces a request.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
"""

from __future__ import annotations

from typing import Final

from sim.cluster.citations import ALB_GUIDE, cites

HEADER: Final = "X-Amzn-Trace-Id"


@cites(ALB_GUIDE + "load-balancer-request-tracing.html")
def traced(header: str, now: float, unique: str) -> str:
    """A request gets a Root, unless it has one; then it gets a Self, in the place of an earlier one.

    `header` is what the client sent, "" for nothing. `now` is in seconds since 1970, `unique` 24 hexadecimal digits.
    """
    own = f"1-{int(now):08x}-{unique}"
    fields = [each.strip() for each in header.split(";") if each.strip() and not each.strip().startswith("Self=")]
    if any(each.startswith("Root=") for each in fields):
        return ";".join([f"Self={own}", *fields])
    return ";".join([*fields, f"Root={own}"])
