"""The alarms that LocalStack keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sim.cloud.control_plane.call import Values
from sim.cluster.desired import Place

_STATE: Final = (
    "StateValue",
    "StateReason",
    "StateReasonData",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
)


@dataclass(frozen=True)
class Stored:
    """A metric or a composite alarm as LocalStack keeps it: DescribeAlarms' answer."""

    place: Place
    values: Values

    @property
    def key(self) -> tuple[str, object]:
        """Another one each time that the alarm is put."""
        return self.values["AlarmArn"], self.values["AlarmConfigurationUpdatedTimestamp"]

    @property
    def is_composite(self) -> bool:
        """True if its state follows from those of other alarms."""
        return "AlarmRule" in self.values


def stored_alarms() -> Iterator[Stored]:
    """Those of all accounts and regions."""
    from localstack.services.cloudwatch.models import cloudwatch_stores  # noqa: PLC0415 - LocalStack loads it late

    for account, region, store in cloudwatch_stores.iter_stores():
        for each in list(store.alarms.values()):
            yield Stored(Place(account, region), each.alarm)


@contextmanager
def keep_state(place: Place, arn: str) -> Iterator[None]:
    """What happens within does not change the state of an alarm that is there already, as LocalStack would."""
    before = _values(place, arn)
    kept: Values = {name: before[name] for name in _STATE if name in before}
    yield
    _values(place, arn).update(kept)


def _values(place: Place, arn: str) -> Values:
    from localstack.services.cloudwatch.models import cloudwatch_stores  # noqa: PLC0415

    found = cloudwatch_stores[place.account][place.region].alarms.get(arn)
    return found.alarm if found else {}
