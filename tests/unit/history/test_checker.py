"""The checker's law: it names what was planted, and nothing else."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pipeline.message import Email, Message
from sim.history.checker import NOT_DRAINED, NOTHING_TRIED, Verdict, check
from sim.history.events import Drained, Ended, Event, Invoked, Observed, Planted, PublishOutcome, message_id
from sim.history.observed import dead, email_fingerprint, fingerprint, stored

OK, FAIL, INFO = PublishOutcome


@dataclass(frozen=True)
class Course:
    """How an e-mail's tries end for its client, where it is found, and which verdicts that is to give."""

    outcomes: tuple[PublishOutcome, ...]
    objects: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    dead: bool = False


class Fate(Enum):
    """What may become of an e-mail."""

    STORED = Course((OK,), ("answered",))
    STORED_BY_A_RETRY = Course((INFO, FAIL, OK), ("answered",))
    REFUSED = Course((FAIL, FAIL))
    UNDECIDED = Course((INFO,))
    RECOVERED = Course((FAIL, INFO), ("other",), ("recovered",))
    LOST = Course((OK,), (), ("lost",))
    DUPLICATED = Course((OK,), ("answered", "another day"), ("duplicated",))
    DUPLICATED_UNDER_ANOTHER_ID = Course((INFO, OK), ("answered", "other"), ("duplicated",))
    RECOVERED_TWICE = Course((INFO,), ("other", "third"), ("recovered", "duplicated"))
    CORRUPT = Course((OK,), ("answered, corrupt",), ("corrupt",))
    DUPLICATED_AND_ONE_CORRUPT = Course((OK,), ("answered", "another day, corrupt"), ("duplicated", "corrupt"))
    UNDER_AN_ID_NOBODY_WAS_TOLD = Course((OK,), ("other",), ("unexpected",))
    STORED_THOUGH_REFUSED = Course((FAIL,), ("other",), ("unexpected",))
    MISROUTED = Course((OK,), (), ("misrouted",), dead=True)
    STORED_AND_MISROUTED = Course((OK,), ("answered",), ("misrouted",), dead=True)
    MISROUTED_AND_UNDECIDED = Course((INFO,), (), ("misrouted",), dead=True)


@dataclass
class Planner:
    """A history in the making, with the verdict that it must get."""

    events: list[Event] = field(default_factory=list)
    expected: dict[str, list[str]] = field(default_factory=dict)

    def add(self, fate: Fate) -> str:
        """An e-mail of this fate; its name."""
        number = sum(isinstance(event, Invoked) for event in self.events)
        email = Email(email_subject=str(number), email_sender="", email_timestream="0", email_content="é")
        answered, other, third = (f"{kind}{number:031x}" for kind in "012")
        course = fate.value
        for attempt, outcome in enumerate(course.outcomes):
            publish = f"{number}#{attempt}"
            key = f"key {number}" if len(course.outcomes) > 1 else None
            self.events.append(Invoked(attempt, publish, email_fingerprint(email), key))
            self.events.append(Ended(attempt, publish, outcome, answered if outcome is OK else None))
        good, bad = (each.model_dump_json(indent=1) for each in (email, email.model_copy(update={"email_content": ""})))
        for place in course.objects:
            id_ = {"other": other, "third": third}.get(place, answered)
            day = "02" if "another day" in place else "01"
            self.events.append(
                stored(9, f"emails/1970/01/{day}/{id_}.json", (bad if "corrupt" in place else good).encode())
            )
        if course.dead:
            self.events.append(dead(9, Message(id=answered, received_at=0, data=email).encode()))
        for verdict in course.verdicts:
            self.expected.setdefault(verdict, []).append(f"{number}#0")
        return f"{number}#0"

    def poison(self, body: str, *, dies: bool, is_stored: bool) -> None:
        """A message that is none, and what becomes of it."""
        name = f"poison {body}"
        self.events.append(Planted(0, name, fingerprint(body)))
        if dies:
            self.events.append(dead(9, body))
        else:
            self.expected.setdefault("lost", []).append(name)
        if is_stored:
            self.events.append(stored(9, "emails/poison.json", body.encode()))
            self.expected.setdefault("misrouted", []).append(name)

    def history(self, *, drained: bool = True) -> list[Event]:
        return [*self.events, Drained(10, drained)]


def as_verdict(expected: dict[str, list[str]]) -> Verdict:
    return replace(Verdict(), **{name: tuple(names) for name, names in expected.items()})


poisons = st.lists(
    st.tuples(
        st.sampled_from(["", "[]", '{"id": []}', '{"id": "x", "data": {}}', "[" * 9999]), st.booleans(), st.booleans()
    ),
    unique_by=lambda poison: poison[0],
)


@given(fates=st.lists(st.sampled_from(Fate), min_size=1, max_size=20), poisons=poisons)
def test_every_wrong_is_named_and_no_other(fates: list[Fate], poisons: list[tuple[str, bool, bool]]) -> None:
    planner = Planner()
    for fate in fates:
        planner.add(fate)
    for body, dies, is_stored in poisons:
        planner.poison(body, dies=dies, is_stored=is_stored)
    verdict = check(planner.history())
    assert verdict == as_verdict(planner.expected)
    assert verdict.good == (not set(planner.expected) - {"recovered"})


@given(fates=st.lists(st.sampled_from(Fate), min_size=1, max_size=8), order=st.randoms(use_true_random=False))
def test_what_was_found_may_come_in_any_order(fates: list[Fate], order: random.Random) -> None:
    planner = Planner()
    for fate in fates:
        planner.add(fate)
    tried = [event for event in planner.events if isinstance(event, (Invoked, Ended))]
    found = [event for event in planner.events if not isinstance(event, (Invoked, Ended))]
    order.shuffle(found)
    assert check([*tried, *found, Drained(10, True)]) == as_verdict(planner.expected)


@pytest.mark.parametrize("fate", [fate for fate in Fate if fate.value.verdicts], ids=lambda fate: fate.name)
def test_a_verdict_names_the_wrong_and_the_email_in_words(fate: Fate) -> None:
    planner = Planner()
    planner.add(Fate.STORED)
    name = planner.add(fate)
    expected = sorted(f"{wrong}: {name}" for wrong in fate.value.verdicts if wrong != "recovered")
    assert sorted(str(check(planner.history())).split("; ")) == (expected or ["good"])


def test_nothing_is_lost_while_the_queue_is_not_empty_but_the_rest_is_certain() -> None:
    planner = Planner()
    planner.add(Fate.LOST)
    name = planner.add(Fate.DUPLICATED)
    verdict = check(planner.history(drained=False))
    assert verdict == Verdict(duplicated=(name,), unknown=(NOT_DRAINED,))
    assert not verdict.good


def test_nothing_tried_proves_nothing() -> None:
    assert check([Drained(0, True)]) == Verdict(unknown=(NOTHING_TRIED,))
    assert check([]) == Verdict(unknown=(NOT_DRAINED, NOTHING_TRIED))


def test_a_publish_that_never_ended_is_undecided() -> None:
    email = Email(email_subject="", email_sender="", email_timestream="0", email_content="")
    invoked = Invoked(0, "p", email_fingerprint(email))
    assert check([invoked, Drained(1, True)]) == Verdict()
    found = stored(1, "emails/x.json", email.model_dump_json().encode())
    assert check([invoked, Drained(1, True), found]) == Verdict(recovered=("p",))


def test_retries_without_a_key_are_emails_of_their_own() -> None:
    email = email_fingerprint(Email(email_subject="", email_sender="", email_timestream="0", email_content=""))
    body = b'{"email_subject":"","email_sender":"","email_timestream":"0","email_content":""}'
    events: list[Event] = [
        Invoked(0, "1", email),
        Ended(1, "1", INFO),
        Invoked(2, "2", email),
        Ended(3, "2", OK, "b"),
        Drained(4, True),
    ]
    assert check([*events, stored(5, "a.json", body), stored(5, "b.json", body)]) == Verdict(recovered=("1",))
    more = check([*events, *(stored(5, f"{id_}.json", body) for id_ in "abc")])
    assert len(more.duplicated) == 1


def test_an_object_of_nobody_is_unexpected_by_its_key_and_a_dead_letter_by_its_id() -> None:
    planner = Planner()
    planner.add(Fate.STORED)
    letter = dead(9, '{"id": "stranger", "data": {}}')
    verdict = check([*planner.history(), stored(9, "emails/stranger.json", b"{}"), letter])
    assert verdict == Verdict(unexpected=("emails/stranger.json", "dead letter stranger"))


def test_what_is_above_its_bound_is_named_with_both() -> None:
    planner = Planner()
    planner.add(Fate.STORED)
    within, above = Observed(1, "the drain", 9, 9), Observed(1, "the stop of worker-1", 26, 25)
    verdict = check([*planner.history(), within, above])
    assert verdict.wrong() == {"exceeded": ("the stop of worker-1 is 26, bound 25",)}


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"null", b"[", b"[" * 100_000], ids=["empty", "bytes", "null", "cut", "deep"]
)
def test_an_object_that_is_no_email_is_corrupt(body: bytes) -> None:
    planner = Planner()
    name = planner.add(Fate.LOST)
    assert check([*planner.history(), stored(9, f"{0:032x}.json", body)]) == Verdict(corrupt=(name,))


def test_an_object_is_named_by_the_end_of_its_key() -> None:
    assert message_id("a/prefix/2023/09/01/5f0c.json") == "5f0c"
    assert message_id("5f0c.json") == "5f0c"
