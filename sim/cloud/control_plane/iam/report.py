"""What roles may do, what they did and what they were denied, as the control plane's route answers it."""

from __future__ import annotations

from collections.abc import Iterable

from sim.aws.iam.denial import reason
from sim.aws.iam.usage import DeniedCall, Permission, RoleUsage
from sim.cloud.control_plane.call import Values


def document(roles: Iterable[RoleUsage]) -> Values:
    """By role: `used` and `unused` permissions with their statements, `denied` calls, and the `unknown` operations.

    `needed_by` counts the calls by operation that would be denied without the permission.
    """
    return {
        "roles": [
            {
                "role": each.role,
                "used": [
                    {**_permission(of.permission), "calls": of.calls, "needed_by": dict(of.needed_by)}
                    for of in each.used
                ],
                "unused": [_permission(of) for of in each.unused],
                "denied": [_denied(of) for of in each.denied],
                "unknown": dict(each.unknown),
            }
            for each in roles
        ]
    }


def _permission(permission: Permission) -> Values:
    statement = permission.statement
    resources = statement.resources.patterns if statement.resources else ()
    return {
        "action": permission.action or "NotAction",
        "policy": statement.policy,
        "statement": statement.name,
        "resources": [each.source for each in resources],
    }


def _denied(denied: DeniedCall) -> Values:
    return {
        "operation": denied.operation,
        "action": denied.request.action,
        "resource": denied.request.resource,
        "because": reason(denied.decision),
        "statements": [str(each) for each in denied.decision.statements],
        "calls": denied.calls,
    }
