"""Queues whose policies are removed."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.cloud.shared import Client


def test_a_removed_policy_is_not_returned(aws: Callable[[str], Client]) -> None:
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    name = "RedriveAllowPolicy"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: json.dumps({"redrivePermission": "denyAll"})})
    assert name in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: ""})
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert name not in attributes
    assert "VisibilityTimeout" in attributes
