"""An emulator under the eyes of the models: whatever it answers, the model must be able to answer the same.

The emulator is asked first; then the model, with a choice that follows what was answered. Of the freedoms of the
contract only those are used that these emulators need: the fewer, the more is proved.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sim.aws.model import AwsError, Freedom, Item, Wait
from sim.aws.s3 import S3
from sim.aws.sqs import Sqs
from sim.aws.sqs_queue import Message, Queue
from sim.aws.ssm import Ssm


class NotAllowed(AssertionError):
    """The emulator did what the model cannot do."""


@dataclass(frozen=True)
class Refused:
    """An AWS error."""

    code: str
    status: int


Outcome = dict[str, Any] | Refused


@dataclass
class Following:
    """Chooses as the emulator did. Its names are those that the emulator gave."""

    observed: Outcome
    blind: bool

    def __post_init__(self) -> None:
        answer = {} if isinstance(self.observed, Refused) else self.observed
        self.delivered = [message["MessageId"] for message in answer.get("Messages", ())]
        self._names = iter(_names(answer))

    def happens(self, freedom: Freedom) -> bool:
        match freedom:
            case Freedom.EMPTY_RECEIVE:
                return self.blind
            case Freedom.REORDERING:
                return True
            case Freedom.STALE_HANDLE_WORKS:
                return True
        return False

    def pick(self, candidates: Sequence[Item], at_most: int) -> Sequence[Item]:
        by_id = {each.id: each for each in candidates if isinstance(each, Message)}
        return [by_id[name] for name in self.delivered[:at_most] if name in by_id]

    def between(self, low: float, high: float) -> float:  # noqa: ARG002 - nothing here asks for more than the least
        return low

    def identity(self) -> str:
        return next(self._names, "the emulator named none")


def _names(answer: Mapping[str, Any]) -> Iterator[str]:
    if "MessageId" in answer:
        yield answer["MessageId"]
    yield from (entry["MessageId"] for entry in answer.get("Successful", ()) if "MessageId" in entry)
    yield from (message["ReceiptHandle"] for message in answer.get("Messages", ()))


@dataclass
class Checked:
    """One service of an emulator, asked through `client`, and its model."""

    client: Any
    model: Sqs | S3 | Ssm

    def call(self, operation: str, **parameters: Any) -> Outcome:
        """What the emulator answers. Raises NotAllowed."""
        begun = time.time()
        observed = self._ask(operation, parameters)
        ended = time.time()
        expected: list[Outcome] = []
        # It was done at some moment of the call: what holds at the end of it, or at the beginning. A receive that found
        # nothing has looked for what is to be moved all the same, or has missed it.
        for now, blind in ((ended, False), (begun, False), (ended, True)):
            trial = copy.deepcopy(self.model)
            expected.append(_answer(trial, operation, parameters, now, Following(observed, blind)))
            if matches(expected[-1], observed):
                self._accept(trial, earlier=now - begun)
                return observed
        raise NotAllowed(f"{operation} of {parameters}\nanswered {observed}\nallowed  {expected[0]}")

    def queue(self, url: str) -> Queue:
        """What the model knows of a queue."""
        assert isinstance(self.model, Sqs)
        return self.model.queues[url.rpartition("/")[2]]

    @property
    def parameters(self) -> Collection[str]:
        """The names of the parameters that the model knows."""
        assert isinstance(self.model, Ssm)
        return self.model.parameters

    def _ask(self, operation: str, parameters: dict[str, Any]) -> Outcome:
        method = self.client.meta.method_to_api_mapping
        [name] = [name for name, api in method.items() if api == operation]
        try:
            answer: dict[str, Any] = getattr(self.client, name)(**parameters)
        except ClientError as error:
            return Refused(error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        if "Body" in answer:
            answer["Body"] = answer["Body"].read()
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def _accept(self, trial: Sqs | S3 | Ssm, *, earlier: float) -> None:
        """Goes on from what the model is now. A message that was hidden may have been so from the call's beginning."""
        if isinstance(trial, Sqs) and isinstance(self.model, Sqs):
            for name, queue in trial.queues.items():
                before = self.model.queues[name].messages
                for message in queue.messages.values():
                    if message.id not in before or before[message.id].visible_at != message.visible_at:
                        message.visible_at -= earlier
        self.model = trial


def _answer(
    model: Sqs | S3 | Ssm, operation: str, parameters: dict[str, Any], now: float, choose: Following
) -> Outcome:
    try:
        if isinstance(model, Sqs):
            # A long poll has waited already, and found something or not.
            waited = Wait(now, now, choose.blind) if operation == "ReceiveMessage" else None
            answer = model.call(operation, parameters, now=now, choose=choose, waited=waited)
            assert not isinstance(answer, Wait)
            return answer
        return model.call(operation, parameters, now=now, choose=choose)
    except AwsError as error:
        return Refused(error.code, error.status)


_RESULTS = frozenset({"Messages", "Successful", "Failed", "Contents"})
"""Neither may have one of these without the other."""
_WORDS = frozenset({"Message", "NextContinuationToken", "LastModified", "LastModifiedDate", "ARN", "Selector"})
"""Each has its own wording, clock and account; the selector neither emulator repeats."""


def matches(expected: object, observed: object) -> bool:
    """Whether an emulator's answer says what the model's says. It may say more."""
    match expected, observed:
        case dict(), dict():
            present = {name for name in _RESULTS if observed.get(name)}
            return _RESULTS & expected.keys() == present and all(
                name in observed and matches(value, observed[name])
                for name, value in expected.items()
                if name not in _WORDS
            )
        case list(), list():
            return len(expected) == len(observed) and all(map(matches, expected, observed))
    return expected == observed
