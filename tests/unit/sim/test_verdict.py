"""The judgement over accepted e-mails: what went wrong is named, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pipeline.message import Email, Message
from sim.history.verdict import Verdict, judge, message_id

GOOD = Verdict(lost=(), duplicated=(), corrupt=(), misrouted=())


class Fate(Enum):
    """What may become of an accepted e-mail."""

    STORED = "stored"
    LOST = "lost"
    DUPLICATED = "duplicated"
    CORRUPT = "corrupt"
    MISROUTED = "misrouted"
    STORED_AND_MISROUTED = "stored and misrouted"
    DUPLICATED_AND_ONE_CORRUPT = "duplicated and one corrupt"


NAMED = {
    Fate.STORED: set(),
    Fate.LOST: {"lost"},
    Fate.DUPLICATED: {"duplicated"},
    Fate.CORRUPT: {"corrupt"},
    Fate.MISROUTED: {"misrouted"},
    Fate.STORED_AND_MISROUTED: {"misrouted"},
    Fate.DUPLICATED_AND_ONE_CORRUPT: {"duplicated", "corrupt"},
}


@dataclass
class History:
    """E-mails with their fates."""

    accepted: dict[str, Email] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    dead_letters: list[str] = field(default_factory=list)

    def add(self, fate: Fate) -> str:
        number = len(self.accepted)
        id_ = f"{number:032x}"
        email = Email(email_subject=str(number), email_sender="", email_timestream="0", email_content="é")
        self.accepted[id_] = email
        stored = email.model_dump_json().encode()
        corrupt = email.model_copy(update={"email_content": ""}).model_dump_json().encode()
        if fate not in {Fate.LOST, Fate.MISROUTED}:
            self.objects[f"emails/1970/01/01/{id_}.json"] = corrupt if fate is Fate.CORRUPT else stored
        if fate in {Fate.DUPLICATED, Fate.DUPLICATED_AND_ONE_CORRUPT}:
            copy = corrupt if fate is Fate.DUPLICATED_AND_ONE_CORRUPT else stored
            self.objects[f"emails/1970/01/02/{id_}.json"] = copy
        if fate in {Fate.MISROUTED, Fate.STORED_AND_MISROUTED}:
            self.dead_letters.append(Message(id=id_, received_at=0, data=email).encode())
        return id_

    def verdict(self) -> Verdict:
        return judge(self.accepted, self.objects, self.dead_letters)


json_values = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "data"]), inner),
    max_leaves=4,
)
poison = st.text(max_size=5) | json_values.map(json.dumps)


@given(
    fates=st.lists(st.sampled_from(Fate), max_size=20),
    foreign=st.dictionaries(st.text(), st.binary(), max_size=3),
    dead=st.lists(poison, max_size=3),
)
def test_every_wrong_is_named_and_no_other(fates: list[Fate], foreign: dict[str, bytes], dead: list[str]) -> None:
    history = History()
    expected: dict[str, list[str]] = {"lost": [], "duplicated": [], "corrupt": [], "misrouted": []}
    for fate in fates:
        id_ = history.add(fate)
        for name in NAMED[fate]:
            expected[name].append(id_)
    history.objects |= {f"foreign/{key}": body for key, body in foreign.items()}
    history.dead_letters += dead
    verdict = history.verdict()
    assert verdict == Verdict(**{name: tuple(ids) for name, ids in expected.items()})
    assert verdict.good == all(fate is Fate.STORED for fate in fates)


def test_nothing_accepted_is_good() -> None:
    assert judge({}, {}, []) == GOOD
    assert str(GOOD) == "good"


@pytest.mark.parametrize("fate", [fate for fate in Fate if fate is not Fate.STORED], ids=lambda fate: fate.value)
def test_a_verdict_names_the_wrong_and_the_email_in_words(fate: Fate) -> None:
    history = History()
    history.add(Fate.STORED)
    id_ = history.add(fate)
    assert sorted(str(history.verdict()).split("; ")) == sorted(f"{name}: {id_}" for name in NAMED[fate])


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"null", b"[", b"[" * 100_000], ids=["empty", "bytes", "null", "cut", "deep"]
)
def test_an_object_that_is_no_email_is_corrupt(body: bytes) -> None:
    history = History()
    id_ = history.add(Fate.STORED)
    [key] = history.objects
    history.objects[key] = body
    assert history.verdict() == Verdict(lost=(), duplicated=(), corrupt=(id_,), misrouted=())


@pytest.mark.parametrize("body", ['{"id": []}', '{"id": {}}', "[" * 100_000], ids=["list", "object", "deep"])
def test_poison_in_the_dead_letter_queue_disturbs_no_judgement(body: str) -> None:
    history = History()
    history.add(Fate.STORED)
    history.dead_letters.append(body)
    assert history.verdict() == GOOD


def test_an_object_is_named_by_the_end_of_its_key() -> None:
    assert message_id("a/prefix/2023/09/01/5f0c.json") == "5f0c"
    assert message_id("5f0c.json") == "5f0c"
