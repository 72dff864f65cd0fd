from __future__ import annotations

from typing import cast

import pytest
from docker import APIClient
from docker.errors import APIError

from sim.host import engine_api


class _Engine:
    """Answers each pause with the next of `answers`: what the engine explains, or nothing if it pauses."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)

    def pause(self, name: str) -> None:
        answer = self.answers.pop(0)
        if answer is not None:
            raise APIError("500 Server Error", explanation=f"cannot pause container {name}: {answer}")


def test_a_pause_that_the_freezer_gave_up_is_asked_for_again() -> None:
    gave_up = "OCI runtime pause failed: unable to freeze: unknown"
    engine = _Engine(gave_up, gave_up, None)

    engine_api.pause(cast("APIClient", engine), "worker")

    assert engine.answers == []


def test_another_refusal_of_a_pause_is_raised_at_once() -> None:
    engine = _Engine("it is not running", None)

    with pytest.raises(APIError, match="not running"):
        engine_api.pause(cast("APIClient", engine), "worker")

    assert engine.answers == [None]
