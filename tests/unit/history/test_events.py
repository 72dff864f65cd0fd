"""A history in a file, and what is read from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.history.events import (
    BadHistory,
    Called,
    Dead,
    Drained,
    Ended,
    Event,
    Faulted,
    Invoked,
    Observed,
    Planted,
    PublishOutcome,
    Stored,
    line,
    read,
)
from sim.history.timeline import timeline

EVENTS: list[Event] = [
    Invoked(1, "c1", "print", "key"),
    Called(1.5, "api-1", "SendMessageBatch", "answered", ("id", "another")),
    Faulted(2, "kill-task", "api-1"),
    Ended(2, "c1", PublishOutcome.INFO, detail="no answer"),
    Invoked(3, "c1#2", "print", "key"),
    Ended(3.25, "c1#2", PublishOutcome.OK, "id"),
    Invoked(3.5, "c2", "another"),
    Faulted(5, "throttle", "worker-1", "PutObject"),
    Called(5.5, "worker-1", "PutObject", "answered", ("id",)),
    Planted(6, "poison-1", "bad"),
    Drained(60, True),
    Observed(60, "the drain", 1.5, 60),
    Stored(61, "emails/id.json", "print"),
    Dead(61, "bad"),
]


numbers = st.floats(0, 1e9)
texts = st.text(max_size=9)
events = st.one_of(
    st.builds(Invoked, numbers, texts, texts, st.none() | texts),
    st.builds(Ended, numbers, texts, st.sampled_from(PublishOutcome), st.none() | texts, texts),
    st.builds(Planted, numbers, texts, texts),
    st.builds(Faulted, numbers, texts, texts, texts),
    st.builds(Called, numbers, texts, texts, texts, st.lists(texts, max_size=2).map(tuple)),
    st.builds(Observed, numbers, texts, numbers, numbers),
    st.builds(Drained, numbers, st.booleans()),
    st.builds(Stored, numbers, texts, texts),
    st.builds(Dead, numbers, texts, st.none() | texts, st.none() | texts),
)


@given(st.lists(events))
def test_what_is_written_is_read(history: list[Event]) -> None:
    assert list(read(map(line, history))) == history


@pytest.mark.parametrize("bad", ["{", "[]", '{"event": "vanished"}', '{"event": "drained", "at": 1}', "\udcff"])
def test_a_line_that_is_no_event_is_named(bad: str) -> None:
    lines = [line(EVENTS[0]), "", bad]
    with pytest.raises(BadHistory, match=r"^line 3 is not an event of a history"):
        list(read(lines))


def test_a_story_is_all_that_an_email_met_and_no_more() -> None:
    assert [text.split(maxsplit=1)[1] for text in timeline(EVENTS, "c1")] == [
        "c1 is sent under the key key",
        "api-1: SendMessageBatch: answered",
        "fault: kill-task on api-1",
        "c1 ends: info no answer",
        "c1#2 is sent under the key key",
        "c1#2 ends: ok as id",
        "fault: throttle on worker-1 PutObject",
        "worker-1: PutObject: answered",
        "the queue is empty",
        "found as emails/id.json",
    ]
    assert [text.split(maxsplit=1)[1] for text in timeline(EVENTS, "poison-1")] == [
        "poison-1 is put into the queue",
        "the queue is empty",
        "found in the dead-letter queue",
    ]
    assert timeline(EVENTS, "a stranger") == []
