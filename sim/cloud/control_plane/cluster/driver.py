"""The driver: one lock for everything that the cluster is made of, and one thread that takes a step each second.

Every call of ECS, Classic ELB and Auto Scaling holds the lock, and so do EC2's calls that start and end instances. A
call that changes something takes a step in the same hold, so that UpdateService and its first consequence are one
transaction. Whoever asks for the desired state waits until a step has changed it.

Auto Scaling groups are stepped from the first such call on. The service scheduler is off until somebody asks for the
desired state. Until then nobody starts a task: a step only follows the tasks that callers start and stop themselves.
Nothing that holds the lock makes a call over HTTP.

A step that fails stops the driver for good. Its traceback is the answer to each later call that changes something, to
each that asks for the desired state, and of the health route. Calls that only read still work.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from sim.cloud.control_plane.call import AwsError
from sim.cluster.desired import Desired, to_json

WAIT_SECONDS: Final = 20.0
"""How long a question for the desired state waits for a change."""

Step = Callable[[bool, Desired], Desired]
"""Takes a step everywhere, as the driver or only following. Given the desired state before, returns the one after.

The revision is another if the state is.
"""


@dataclass(frozen=True)
class Answer:
    """The desired state as JSON, and its revision."""

    revision: int
    body: str


class Driver:
    """Takes steps under one lock. `seconds` is the time between two of its thread's; `on` is set when it begins."""

    def __init__(self, step: Step, seconds: float, on: threading.Event) -> None:
        self._step = step
        self._seconds = seconds
        self._on = on
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._answer = Answer(-1, "")
        self._desired = Desired(0)
        self._failure = ""
        self._begun = False
        self._closing = False

    @contextmanager
    def call(self, *, changes: bool) -> Iterator[None]:
        """Holds the lock for a call. One that changes something is followed by a step. Raises AwsError."""
        with self._lock:
            if changes:
                self.check()
                self._begin()
            yield
            if changes:
                self._take_step()
                self.check()

    def check(self) -> None:
        """Raises AwsError: ServerException with the traceback, if a step has failed."""
        if self._failure:
            raise AwsError("ServerException", self._failure, HTTPStatus.INTERNAL_SERVER_ERROR)

    def desired(self, after: int | None) -> str:
        """The desired state as JSON, once its revision is another than `after`, or the time to wait is over.

        Raises AwsError: ServerException if a step has failed, ServiceUnavailableException if the cloud goes down.
        """
        with self._lock:
            self._switch_on()
            self._changed.wait_for(
                lambda: self._closing or self._failure or self._desired.revision != after, WAIT_SECONDS
            )
            self.check()
            if self._closing:
                raise AwsError(
                    "ServiceUnavailableException", "The local cloud goes down.", HTTPStatus.SERVICE_UNAVAILABLE
                )
            if self._answer.revision != self._desired.revision:
                self._answer = Answer(self._desired.revision, to_json(self._desired))
            return self._answer.body

    @property
    def latest(self) -> Desired:
        """The desired state as the last step left it."""
        return self._desired

    def close(self) -> None:
        """Ends the thread, and the questions that wait."""
        with self._lock:
            self._closing = True
            self._changed.notify_all()

    def _switch_on(self) -> None:
        if self._on.is_set() or self._closing:
            return
        self._on.set()
        self._take_step()
        self._begin()

    def _begin(self) -> None:
        if not (self._begun or self._closing):
            self._begun = True
            threading.Thread(target=self._run, name="cluster-driver", daemon=True).start()

    def _run(self) -> None:
        with self._lock:
            while not self._changed.wait_for(lambda: self._closing or bool(self._failure), self._seconds):
                self._take_step()

    def _take_step(self) -> None:
        try:
            after = self._step(self._on.is_set(), self._desired)
        except Exception:
            self._failure = traceback.format_exc()
            self._changed.notify_all()
            return
        if after.revision != self._desired.revision:
            self._desired = after
            self._changed.notify_all()
