"""Run by LocalStack's Python: the states that its own evaluation of alarms gives.

Reads lines of JSON, each with an alarm as DescribeAlarms returns it, and the values of its periods, the oldest first.
Answers each with a line: the state after the evaluation.
"""

from __future__ import annotations

import json
import sys

from localstack.services.cloudwatch import alarm_scheduler


class CloudWatch:
    """Takes the state that LocalStack sets."""

    def __init__(self, state: str) -> None:
        self.state = state

    def set_alarm_state(self, *, StateValue: str, **_: object) -> None:  # noqa: N803 - AWS's name
        self.state = StateValue


def main() -> None:
    """Answers until there are no more lines."""
    for line in sys.stdin:
        asked = json.loads(line)
        client = CloudWatch(asked["alarm"]["StateValue"])
        alarm_scheduler.get_metric_alarm_details_for_alarm_arn = lambda _, asked=asked: asked["alarm"]
        alarm_scheduler.get_cloudwatch_client_for_region_of_alarm = lambda _, client=client: client
        alarm_scheduler.collect_metric_data = lambda *_, asked=asked: list(asked["values"])
        alarm_scheduler.calculate_alarm_state("arn")
        print(client.state, flush=True)


main()
