"""Our decisions are those of iam-simulate, on policies and requests at random.

There are hundreds of them, and thousands with `--hypothesis-profile=thorough`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings

from sim.aws.iam.evaluate import Verdict, decide
from tests.iam.conftest import Simulator
from tests.property.iam.generated import ACCOUNT, Case, cases

RESULTS = {
    "Allowed": Verdict.ALLOWED,
    "ExplicitlyDenied": Verdict.EXPLICITLY_DENIED,
    "ImplicitlyDenied": Verdict.IMPLICITLY_DENIED,
}


@given(case=cases().filter(lambda case: not _departs(case)))
@settings(
    max_examples=3 * settings().max_examples, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
def test_both_decide_alike(simulator: Simulator, case: Case) -> None:
    judged = simulator.judge(_simulation(case))
    assert isinstance(judged, str), judged
    assert decide(case.policies, case.request).verdict is RESULTS[judged]


def _departs(case: Case) -> bool:
    """True where AWS's pages say another thing than iam-simulate does, and we follow the pages."""
    return _session_meets_grant(case) or _spares_in_part(case) or _has_null(case)


def _session_meets_grant(case: Case) -> bool:
    """A session policy does not limit what a resource's policy grants to the session itself:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session"""
    return case.session is not None and case.attached is not None


def _spares_in_part(case: Case) -> bool:
    """A NotPrincipal spares whom it names together with the account, and nobody with a permissions boundary:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    elements = [
        each["NotPrincipal"] for each in (case.attached or {"Statement": []})["Statement"] if "NotPrincipal" in each
    ]
    names = [set(each.get("AWS", [])) if isinstance(each, dict) else {"*"} for each in elements]
    account = {case.principal.account, f"arn:aws:iam::{case.principal.account}:root"}
    caller = {case.principal.name, case.principal.role}
    return bool(elements) and (
        case.boundary is not None or any(bool(each & account) is not bool(each & caller) for each in names)
    )


def _has_null(case: Case) -> bool:
    """A negated operator, and NotResource, hold for a variable without a value:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value"""
    text = json.dumps([case.identity, case.boundary, case.session, case.attached])
    return any(key not in case.keys for key in re.findall(r"\$\{(aws:[^,}]+)\}", text))


def _simulation(case: Case) -> dict[str, Any]:
    """The case as iam-simulate takes it."""
    return {
        "request": {
            "principal": case.principal.name,
            "action": case.action,
            "resource": {"resource": case.resource, "accountId": ACCOUNT},
            "contextVariables": case.keys,
        },
        "identityPolicies": [{"name": str(n), "policy": each} for n, each in enumerate(case.identity)],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        **({"sessionPolicy": case.session} if case.session else {}),
        **({"resourcePolicy": case.attached} if case.attached else {}),
        **({"permissionBoundaryPolicies": [{"name": "boundary", "policy": case.boundary}]} if case.boundary else {}),
    }
