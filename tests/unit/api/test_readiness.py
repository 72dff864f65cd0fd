"""What `/ready` says, and how seldom it asks for that."""

from __future__ import annotations

from services.api.problems import UNAVAILABLE, Problem, Rejection
from services.api.readiness import Readiness
from sim.world.virtual_time import WorldRuntime


class Dependency:
    """Asked in `seconds`; says `wrong` when it cannot be used."""

    def __init__(self, runtime: WorldRuntime) -> None:
        self.wrong = ""
        self.seconds = 0.0
        self.times = 0
        self._runtime = runtime

    def check(self) -> None:
        self.times += 1
        self._runtime.sleep(self.seconds)
        if self.wrong:
            raise Rejection(Problem(UNAVAILABLE, self.wrong))


def test_each_dependency_is_named_with_what_is_wrong(runtime: WorldRuntime) -> None:
    queue, token = Dependency(runtime), Dependency(runtime)
    token.wrong = "The token cannot be checked."
    readiness = Readiness({"queue": queue.check, "token": token.check}, runtime)
    assert readiness.states() == {"queue": "ok", "token": "The token cannot be checked."}


def test_a_state_is_a_second_old_at_most(runtime: WorldRuntime) -> None:
    queue = Dependency(runtime)
    readiness = Readiness({"queue": queue.check}, runtime)
    assert readiness.states() == {"queue": "ok"}
    queue.wrong = "gone"
    runtime.sleep(0.9)
    assert readiness.states() == {"queue": "ok"}
    runtime.sleep(0.1)
    assert readiness.states() == {"queue": "gone"}
    queue.wrong = ""
    runtime.sleep(1)
    assert readiness.states() == {"queue": "ok"}
    assert queue.times == 3


def test_those_who_ask_at_once_wait_for_one_answer(runtime: WorldRuntime) -> None:
    queue, answers = Dependency(runtime), []
    queue.seconds = 7
    readiness = Readiness({"queue": queue.check}, runtime)
    for _ in range(10):
        runtime.spawn(lambda: answers.append(readiness.states()))
    runtime.sleep(7.5)
    assert (answers, queue.times) == ([{"queue": "ok"}] * 10, 1)
