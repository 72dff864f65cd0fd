"""The composite alarms that LocalStack keeps: checked when they are put, and evaluated. LocalStack notifies SNS.

LocalStack itself follows only rules that join ALARM of ARNs by OR.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from sim.cloud.control_plane.call import AwsError, Call, Values
from sim.cloud.control_plane.cloudwatch.stored import Stored, keep_state
from sim.cluster.cloudwatch.alarm_rules import InvalidRule, children, parse
from sim.cluster.cloudwatch.alarms import State
from sim.cluster.cloudwatch.composite_alarms import Child, CompositeAlarm, CompositeChanged, in_circle, step
from sim.cluster.desired import Place

_REFUSED: Final = ("ActionsSuppressor", "ActionConfiguration")
_TYPES: Final = ["CompositeAlarm", "MetricAlarm"]

SetComposite = Callable[[Place, str, State, str, str], None]
"""Sets an alarm's state, with the reason and its data."""


class CompositeEvaluation:
    """Looks at every composite alarm of which a child has another state than before. `now` is AWS's time."""

    def __init__(
        self, stored: Callable[[], Iterable[Stored]], set_state: SetComposite, now: Callable[[], float]
    ) -> None:
        self._stored = stored
        self._set_state = set_state
        self._now = now
        self._known: dict[tuple[str, object], CompositeAlarm] = {}

    def take(self) -> None:
        """One look at all of them. What depends on another composite alarm may follow at the next one."""
        alarms = list(self._stored())
        known: dict[tuple[str, object], CompositeAlarm] = {}
        for place in dict.fromkeys(each.place for each in alarms if each.is_composite):
            known |= self._look(place, [each for each in alarms if each.place == place])
        self._known = known

    def _look(self, place: Place, alarms: list[Stored]) -> dict[tuple[str, object], CompositeAlarm]:
        others = {
            each.values["AlarmName"]: Child(each.values["AlarmArn"], each.values["StateValue"]) for each in alarms
        }
        composites = {each.values["AlarmName"]: each for each in alarms if each.is_composite}
        rules = {name: parse(each.values["AlarmRule"]) for name, each in composites.items()}
        now, found = self._now(), dict[tuple[str, object], CompositeAlarm]()
        for name, each in composites.items():
            if in_circle(name, rules):
                continue
            known = self._known.get(each.key)
            present = CompositeAlarm(others[name].arn, rules[name], others[name].state, known.seen if known else None)
            found[each.key], changed = step(present, others, now)
            if changed:
                others[name] = Child(others[name].arn, changed.state)
                self._set_state(place, name, changed.state, changed.reason, _data(changed, now))
        return found


def _data(changed: CompositeChanged, now: float) -> str:
    """StateReasonData, in the form that EventBridge's page shows."""
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
    states = [{"arn": each.arn, "state": {"value": each.state, "timestamp": at}} for each in changed.because_of]
    return json.dumps({"triggeringAlarms": states})


def notification(message: str, alarm: Values) -> str:
    """What a topic gets of an alarm: LocalStack's message of a metric alarm, made one of a composite alarm if it is."""
    if "AlarmRule" not in alarm:
        return message
    kept = {name: value for name, value in json.loads(message).items() if name != "Trigger"}
    triggering = json.loads(alarm.get("StateReasonData") or "{}").get("triggeringAlarms", [])
    kept["AlarmRule"] = alarm["AlarmRule"]
    kept["TriggeringChildren"] = [
        {"Arn": each["arn"], "State": {"Value": each["state"]["value"], "Timestamp": each["state"]["timestamp"]}}
        for each in triggering
    ]
    return json.dumps(kept)


def put_composite_alarm(call: Call, put: Callable[[Call], Values]) -> Values:
    """Refuses one that cannot be evaluated. One that is there already keeps its state.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    name = call.parameters["AlarmName"]
    for each in _REFUSED:
        if call.parameters.get(each):
            raise AwsError("ValidationError", f"The alarm {name} is not valid: {each} is not supported.")
    try:
        wanted = children(parse(call.parameters["AlarmRule"]))
    except InvalidRule as wrong:
        raise AwsError("ValidationError", str(wrong)) from None
    there = {each["AlarmName"] for each in _described(call, {"AlarmNames": list(wanted)})} if wanted else set()
    if missing := [each for each in wanted if each not in there]:
        text = f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist"
        raise AwsError("ValidationError", text)
    with keep_state(Place(call.account, call.region), call.arn("cloudwatch", f"alarm:{name}")):
        return put(call)


def delete_alarms(call: Call) -> Values:
    """Refuses to delete an alarm that the rule of a composite alarm is about.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
    """
    names = call.parameters["AlarmNames"]
    left = [each for each in _described(call, {}) if "AlarmRule" in each and each["AlarmName"] not in names]
    needed = {child for each in left for child in children(parse(each["AlarmRule"]))}
    if held := [each for each in names if each in needed]:
        them = "it" if len(held) == 1 else "them"
        text = f"Cannot delete {','.join(held)} as there are composite alarm(s) depending on {them}."
        raise AwsError("ValidationError", text)
    return call.forward()


def _described(call: Call, which: Values) -> list[Values]:
    found = call.forward("DescribeAlarms", {**which, "AlarmTypes": _TYPES})
    return [*(found.get("MetricAlarms") or ()), *(found.get("CompositeAlarms") or ())]
