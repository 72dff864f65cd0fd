"""Operations on the scheduled actions of a group.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from sim.cloud.control_plane.autoscaling.descriptions import page
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values, moment, refusals
from sim.cluster.autoscaling.cron import parse
from sim.cluster.autoscaling.scheduled_actions import ScheduledAction, fitting, planned

_UTC: Final = "UTC"
_MOST_DESCRIBED: Final = 50
"""So many actions are in one answer."""


class ScheduleOperations:
    """Handles the operations that plan, drop and describe scheduled actions. `now` is in seconds since 1970."""

    def __init__(self, known: KnownGroups, now: Callable[[], float]) -> None:
        self._known = known
        self._now = now
        self.operations: Operations = {
            "BatchDeleteScheduledAction": self.delete_several,
            "BatchPutScheduledUpdateGroupAction": self.put_several,
            "DeleteScheduledAction": self.delete,
            "DescribeScheduledActions": self.describe,
            "PutScheduledUpdateGroupAction": self.put,
        }

    def put(self, call: Call) -> Values:
        self._put(call, call.parameters)
        return {}

    def put_several(self, call: Call) -> Values:
        failed = list[Values]()
        for each in call.parameters["ScheduledUpdateGroupActions"]:
            try:
                self._put(call, each)
            except AwsError as error:
                failed.append(_failed(each["ScheduledActionName"], error))
        return {"FailedScheduledUpdateGroupActions": failed}

    def delete(self, call: Call) -> Values:
        self._delete(call, call.parameters["ScheduledActionName"])
        return {}

    def delete_several(self, call: Call) -> Values:
        failed = list[Values]()
        for name in call.parameters["ScheduledActionNames"]:
            try:
                self._delete(call, name)
            except AwsError as error:
                failed.append(_failed(name, error))
        return {"FailedScheduledActions": failed}

    def describe(self, call: Call) -> Values:
        given = call.parameters
        group, names = given.get("AutoScalingGroupName"), given.get("ScheduledActionNames")
        since, until = _seconds(given.get("StartTime")), _seconds(given.get("EndTime"))
        found = [
            _described(call, name, each)
            for name, kept in self._known.all(call).items()
            if group in (None, name)
            for each in kept.schedule
            if (each.name in names if names else (since or each.at) <= each.at <= (until or each.at))
        ]
        return page("ScheduledUpdateGroupActions", found, given, _MOST_DESCRIBED)

    def _put(self, call: Call, given: Values) -> None:
        kept, group = self._known.named(call), call.parameters["AutoScalingGroupName"]
        with refusals():
            schedule = fitting(kept.schedule, planned(_action(given), self._now()))
        self._known.all(call)[group] = replace(kept, schedule=schedule)

    def _delete(self, call: Call, name: str) -> None:
        kept, group = self._known.named(call), call.parameters["AutoScalingGroupName"]
        left = tuple(each for each in kept.schedule if each.name != name)
        if len(left) == len(kept.schedule):
            raise AwsError("ValidationError", f"Scheduled action name not found: {name}")
        self._known.all(call)[group] = replace(kept, schedule=left)


def _action(given: Values) -> ScheduledAction:
    """Raises Refused."""
    recurrence = given.get("Recurrence")
    return ScheduledAction(
        given["ScheduledActionName"],
        0.0,
        given.get("MinSize"),
        given.get("MaxSize"),
        given.get("DesiredCapacity"),
        parse(recurrence) if recurrence else None,
        given.get("TimeZone") or _UTC,
        _seconds(given.get("StartTime") or given.get("Time")),
        _seconds(given.get("EndTime")),
    )


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _described(call: Call, group: str, of: ScheduledAction) -> Values:
    name = f"autoScalingGroupName/{group}:scheduledActionName/{of.name}"
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{call.account}/{call.region}/{name}")
    given: Values = {
        "AutoScalingGroupName": group,
        "ScheduledActionName": of.name,
        "ScheduledActionARN": call.arn("autoscaling", f"scheduledUpdateGroupAction:{identity}:{name}"),
        "Time": moment(of.at),
        "StartTime": moment(of.at),
        "EndTime": None if of.end is None else moment(of.end),
        "Recurrence": of.recurrence.text if of.recurrence else None,
        "MinSize": of.min_size,
        "MaxSize": of.max_size,
        "DesiredCapacity": of.desired,
        "TimeZone": of.zone if of.zone != _UTC else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _failed(name: str, error: AwsError) -> Values:
    return {"ScheduledActionName": name, "ErrorCode": error.code, "ErrorMessage": error.message}
