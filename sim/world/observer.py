"""What is seen from outside while a world runs: the trail of calls, the receives of each e-mail, what each instance has
in hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.aws.model import Answer, AwsError
from sim.faults.plan import Fault
from sim.history.events import Called, Event, Faulted, message_id
from sim.world.coverage import Coverage, Encounter, Place
from sim.world.instances import State

if TYPE_CHECKING:
    from sim.aws.wire import Attempt
    from sim.world.fleet import Instance
    from sim.world.versions import Version


class Observer:
    """Sees every call when it was done. Records the calls only if `trail`: they are many."""

    def __init__(self, clock: Callable[[], float], record: Callable[[Event], None], *, trail: bool) -> None:
        self.coverage = Coverage()
        self.receives: Counter[str] = Counter()
        """By message id, since it was cleared last."""
        self._clock = clock
        self._record = record
        self._trail = trail
        self._names: dict[str, str] = {}
        self._in_hand: dict[str, dict[str, bool]] = defaultdict(dict)
        """By worker: the ids of its messages, and whether they are stored."""

    def forget(self) -> None:
        """Begins anew: what is remembered of single e-mails goes."""
        self.receives.clear()
        self._names.clear()
        self._in_hand.clear()

    def done(self, call: Attempt, answer: Answer | AwsError) -> None:
        """A call was done."""
        ids = self._about(call, answer)
        if self._trail and (ids or isinstance(answer, AwsError)):
            outcome = answer.code if isinstance(answer, AwsError) else "done"
            self._record(Called(self._clock(), call.caller, call.operation, outcome, tuple(ids)))

    def on_fault(self, fault: Fault, caller: str, operation: str) -> None:
        """A fault has hit."""
        self.coverage.faults[fault.value, operation] += 1
        self._record(Faulted(self._clock(), fault.value, caller, operation))

    def met(self, encounter: Encounter) -> None:
        """The cluster has come to this."""
        self.coverage.encounters[encounter] += 1

    def deployed(self, version: Version) -> None:
        """A version is deployed."""
        self.coverage.deployments[version] += 1

    def crashed(self, instance: Instance, unheard: frozenset[str]) -> None:
        """An instance is about to crash, and with it the answers to operations that were done."""
        stored = self._in_hand.pop(instance.name, {}).values()
        stopping = instance.state is State.STOPPING
        places = {
            Place.IN_A_DRAIN: stopping,
            Place.BETWEEN_PUT_AND_DELETE: True in stored,
            Place.BETWEEN_PUT_AND_DELETE_IN_A_DRAIN: stopping and True in stored,
            Place.BETWEEN_BATCH_ENTRIES: len(set(stored)) > 1,
            Place.BETWEEN_SEND_AND_ANSWER: "SendMessageBatch" in unheard,
        }
        fell = [place for place, here in places.items() if here] or [Place.ELSEWHERE]
        self.coverage.crashes.update(fell)

    def _about(self, call: Attempt, answer: Answer | AwsError) -> list[str]:
        """The ids of the messages that a call was about."""
        if isinstance(answer, AwsError):
            return []
        in_hand = self._in_hand[call.caller]
        entries = call.parameters.get("Entries", ())
        ids: list[str] = []
        match call.operation:
            case "SendMessageBatch":
                ids = [_id(entry["MessageBody"]) for entry in entries]
            case "ReceiveMessage":
                ids = self._received(call.caller, answer)
            case "PutObject":
                ids = [message_id(call.parameters["Key"])]
                in_hand.update({id_: True for id_ in ids if id_ in in_hand})
            case "DeleteMessageBatch" | "ChangeMessageVisibilityBatch":
                ids = [self._names.get(entry["ReceiptHandle"], "") for entry in entries]
        if call.operation == "DeleteMessageBatch":
            for id_ in ids:
                in_hand.pop(id_, None)
        return ids

    def _received(self, caller: str, answer: Answer) -> list[str]:
        ids = []
        for message in answer.get("Messages", []):
            id_ = _id(message["Body"])
            ids.append(id_)
            self.receives[id_] += 1
            self._names[message["ReceiptHandle"]] = id_
            self._in_hand[caller][id_] = False
        return ids


def _id(body: str) -> str:
    """The id in a message of the pipeline, which begins with it; of poison, the poison."""
    return body[7 : body.find('"', 7)] if body.startswith('{"id":"') else body
