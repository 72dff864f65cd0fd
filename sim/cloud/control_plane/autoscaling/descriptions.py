"""Scaling activities and instance refreshes as AWS's API describes them.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html
"""

from __future__ import annotations

from sim.cloud.control_plane.call import Values, moment
from sim.cluster.autoscaling.group_state import LaunchTemplate
from sim.cluster.autoscaling.instance_refresh import Refresh, Rollback
from sim.cluster.autoscaling.refresh_preferences import Preferences
from sim.cluster.autoscaling.scaling_activities import Activity


def page(name: str, found: list[Values], given: Values, most: int) -> Values:
    """As much of a list as one answer has, under its name: from NextToken on, MaxRecords of it."""
    start = int(given.get("NextToken") or 0)
    end = start + int(given.get("MaxRecords") or most)
    return {name: found[start:end]} | ({"NextToken": str(end)} if end < len(found) else {})


def activity(of: Activity, group: str, arn: str) -> Values:
    """As DescribeScalingActivities returns it."""
    return {
        "ActivityId": of.id,
        "AutoScalingGroupName": group,
        "AutoScalingGroupARN": arn,
        "Description": of.description,
        "Cause": of.cause,
        "StartTime": moment(of.started_at),
        "StatusCode": of.status,
        "Progress": of.progress,
        "Details": "{}",
        **({"StatusMessage": of.message} if of.message else {}),
        **({"EndTime": moment(of.ended_at)} if of.ended_at is not None else {}),
    }


def refresh(of: Refresh, group: str) -> Values:
    """As DescribeInstanceRefreshes returns it."""
    return {
        "InstanceRefreshId": of.id,
        "AutoScalingGroupName": group,
        "Status": of.status,
        "StartTime": moment(of.started_at),
        "PercentageComplete": of.percentage,
        "InstancesToUpdate": of.to_update,
        "Preferences": _preferences(of.preferences),
        **({"StatusReason": of.reason} if of.reason else {}),
        **({"EndTime": moment(of.ended_at)} if of.ended_at is not None else {}),
        **({"DesiredConfiguration": {"LaunchTemplate": _template(of.template)}} if of.template else {}),
        **({"RollbackDetails": _rollback(of.rollback)} if of.rollback else {}),
    }


def _preferences(of: Preferences) -> Values:
    given: Values = {
        "MinHealthyPercentage": of.min_healthy,
        "MaxHealthyPercentage": of.max_healthy,
        "InstanceWarmup": None if of.warmup_seconds is None else int(of.warmup_seconds),
        "SkipMatching": of.skip_matching,
        "AutoRollback": of.auto_rollback,
        "ScaleInProtectedInstances": of.protected,
        "BakeTime": int(of.bake_seconds) or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _template(of: LaunchTemplate) -> Values:
    return {"LaunchTemplateId": of.id, "Version": str(of.version)}


def _rollback(of: Rollback) -> Values:
    return {
        "RollbackReason": of.reason,
        "RollbackStartTime": moment(of.started_at),
        "PercentageCompleteOnRollback": of.percentage,
        "InstancesToUpdateOnRollback": of.to_update,
    }
