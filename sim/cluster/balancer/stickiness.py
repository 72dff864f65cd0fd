"""Cookies that bind a client to a target.

Classic ELB: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-sticky-sessions.html, ALB:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html. Both come as a duration, or
bound to a cookie of the application.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from sim.cluster.citations import ALB_GUIDE, ELB_GUIDE, cites, inferred

COOKIE: Final = "AWSELB"
"""Of a Classic ELB."""
ALB_COOKIE: Final = "AWSALB"
ALB_APPLICATION_COOKIE: Final = "AWSALBAPP-0"
"""Of an ALB, for a duration and beside a cookie of the application."""


@dataclass(frozen=True, slots=True)
class Stickiness:
    """For so many seconds (None: as long as the browser runs), or as long as the application's cookie lives."""

    seconds: float | None = None
    application_cookie: str | None = None
    cookie: str = COOKIE


@inferred("AWS's value is opaque and the same for all clients of a target")
def value_of(target: str) -> str:
    """A cookie names a target by a value that says nothing to the client."""
    return hashlib.sha256(target.encode()).hexdigest().upper()


@cites(ELB_GUIDE + "elb-sticky-sessions.html")
def bound_to(policy: Stickiness, cookies: Mapping[str, str], routable: Iterable[str]) -> str | None:
    """A request goes to the target that its cookie names, unless that is not routable, or the application's cookie is
    gone; the balancer does not look at when a cookie expires."""
    named = cookies.get(policy.cookie)
    if named is None or (policy.application_cookie is not None and policy.application_cookie not in cookies):
        return None
    return next((target for target in routable if value_of(target) == named), None)


@cites(ALB_GUIDE + "sticky-sessions.html")
def renewed(policy: Stickiness, target: str, answered_with: Collection[str], now: float) -> tuple[str, ...]:
    """An ALB sets its cookie with every answer, so that its duration begins anew; with an application's cookie,
    together with that.

    `now` is in seconds since 1970. Returns the values of `Set-Cookie`.
    """
    if policy.application_cookie is not None and policy.application_cookie not in answered_with:
        return ()
    lasts = f"; Expires={formatdate(now + policy.seconds, usegmt=True)}" if policy.seconds is not None else ""
    pair = f"={value_of(target)}{lasts}; Path=/"
    own = f"{policy.cookie}{pair}"
    if policy.application_cookie is not None:
        return (own,)
    return own, f"{policy.cookie}CORS{pair}; SameSite=None; Secure"


@cites(ELB_GUIDE + "elb-sticky-sessions.html")
def to_set(policy: Stickiness, bound: str | None, target: str, answered_with: Collection[str]) -> tuple[str, ...]:
    """An answer sets the cookie for a client that was not bound to this target, or, with an application's cookie,
    together with that.

    `answered_with` are the cookies that the target's answer sets. Returns the values of `Set-Cookie`.
    """
    if policy.application_cookie is not None:
        if policy.application_cookie not in answered_with:
            return ()
    elif bound == target:
        return ()
    lasts = f";MAX-AGE={policy.seconds:.0f}" if policy.seconds is not None else ""
    pair = f"={value_of(target)};PATH=/{lasts}"
    return (f"{policy.cookie}{pair}", f"{policy.cookie}CORS{pair};SECURE;SAMESITE=None")
