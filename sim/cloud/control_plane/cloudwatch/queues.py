"""What SQS publishes of its queues every minute. LocalStack's own publisher leaves out the age of the oldest message.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sim.cloud.control_plane.cloudwatch.metrics import Published
from sim.cluster.aws_clock import AwsClock
from sim.cluster.desired import Place

NAMESPACE: Final = "AWS/SQS"


def depths(at: int, here: float, clock: AwsClock) -> Iterator[Published]:
    """The depth of every queue of all accounts and regions, and the age of its oldest message in AWS's seconds.

    `at` is AWS's time, `here` that of this machine, which messages have, too.
    """
    from localstack.services.sqs.models import sqs_stores  # noqa: PLC0415 - LocalStack loads its services late

    for account, region, store in sqs_stores.iter_stores():
        for queue in list(store.queues.values()):
            values = {
                "ApproximateNumberOfMessagesVisible": queue.approximate_number_of_messages,
                "ApproximateNumberOfMessagesNotVisible": queue.approximate_number_of_messages_not_visible,
                "ApproximateNumberOfMessagesDelayed": queue.approximate_number_of_messages_delayed,
                "ApproximateAgeOfOldestMessage": _oldest_age(queue, here, clock),
            }
            for name, found in values.items():
                unit = "Seconds" if name == "ApproximateAgeOfOldestMessage" else "Count"
                dimensions = (("QueueName", str(queue.name)),)
                yield Published(Place(account, region), NAMESPACE, name, dimensions, at, float(found), unit)


def _oldest_age(queue: Any, here: float, clock: AwsClock) -> float:
    """Of the messages that were not deleted, received or not; 0 where there are none."""
    waiting = [each for each in list(getattr(queue, "visible", _Empty).queue) if not each.deleted]
    waiting += [each for each in list(queue.inflight) if not each.deleted]
    return max((clock.at(here) - clock.at(each.created) for each in waiting), default=0.0)


class _Empty:
    """A FIFO queue keeps its messages elsewhere."""

    queue: tuple[Any, ...] = ()
