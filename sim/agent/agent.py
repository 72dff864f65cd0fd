"""The agent's loop: events in, actions and messages out. What it does is decided in `core` and `messages`."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from sim.agent import definition
from sim.agent.control_plane import ControlPlane, ControlPlaneFailed
from sim.agent.core import Action, Freeze, Kill, Remove, Signal, Start, step
from sim.agent.events import Event, NotFound, NotFrozen, NotSignalled, Signalled, StartFailed, applied
from sim.agent.journal import Journal
from sim.agent.lanes import Lanes
from sim.agent.local import Local, LocalTask
from sim.agent.messages import Connected, Message, Outbox, due, wanted
from sim.agent.runtime import CannotStart, NotYet, Runtime
from sim.agent.secrets import fetched
from sim.agent.telemetry import Meter
from sim.cluster.aws_clock import AwsClock
from sim.cluster.desired import Desired, DesiredTask
from sim.errors import SimError

_LOG: Final = logging.getLogger(__name__)
_TICK_SECONDS: Final = 0.1
_AGAIN_SECONDS: Final = 0.5
_THREADS: Final = 64

Given = Callable[[DesiredTask, str], Mapping[str, str]]
_Answer = tuple[Message, bool]
"""A message, and whether it failed."""


class AgentFailed(SimError):
    """The agent met an error that it does not know."""


class Agent:
    """The agent of all container instances."""

    def __init__(self, control_plane: ControlPlane, runtime: Runtime, journal: Journal, given: Given) -> None:
        """`given` returns the variables of a container of a task beside those of its definition."""
        self._control_plane = control_plane
        self._runtime = runtime
        self._journal = journal
        self._given = given
        self._inbox: queue.SimpleQueue[Desired | Event | _Answer | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._desired: Desired | None = None
        self._outbox = Outbox()
        self._failure: Exception | None = None

    def stop(self) -> None:
        """Ends `run`. The tasks run on."""
        self._stopped.set()
        self._inbox.put(None)

    def run(self) -> None:
        """Runs until `stop`. Finds the tasks of an agent before it. Raises AgentFailed."""
        self._begin("desired state", self._poll)
        while self._desired is None and not self._stopped.is_set():
            self._take()
        if self._desired is not None:
            self._work(self._desired.clock)
        if self._failure is not None:
            raise AgentFailed(f"the agent cannot go on; sim logs agent has the traceback: {self._failure!r}")

    def _work(self, clock: AwsClock) -> None:
        self._runtime.begin(self._inbox.put, clock)
        self._local = self._found(self._journal.read())
        self._begin("telemetry", partial(self._measure, clock))
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="action") as pool:
            lanes = Lanes(pool)
            while not self._stopped.is_set():
                self._take()
                if self._desired is not None:
                    self._advance(self._desired, lanes)
        self._runtime.close()
        self._disconnect()

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=self._guarded(work), name=name, daemon=True).start()

    def _guarded(self, work: Callable[[], None]) -> Callable[[], None]:
        """Work in a thread whose failure ends the agent: else nobody would notice that it is not done any more."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:
                _LOG.exception("a thread has failed")
                self._failure = error
                self.stop()

        return guarded

    def _found(self, local: Local) -> Local:
        for task in local.tasks.values():
            for each in task.containers:
                if each.status in {"STARTING", "RUNNING"}:
                    event = self._runtime.find(task, each.name)
                    if isinstance(event, NotFound) and each.status == "RUNNING":
                        event = StartFailed(task.task.arn, each.name, "the container was removed")
                    local = applied(local, event, time.time())
        return local

    def _take(self) -> None:
        """Takes all that has come in; waits a tick for the first."""
        try:
            item = self._inbox.get(timeout=_TICK_SECONDS)
            while True:
                self._took(item)
                item = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _took(self, item: Desired | Event | _Answer | None) -> None:
        match item:
            case None:
                return
            case Desired():
                self._desired = item
            case (message, failed):
                self._outbox = self._outbox.answered(message, time.time(), failed=failed)
            case _:
                _LOG.info("%s", item)
                self._local = applied(self._local, item, time.time())

    def _advance(self, desired: Desired, lanes: Lanes) -> None:
        now = time.time()
        self._local, actions = step(desired, self._local, now)
        self._outbox, messages = due(wanted(desired, self._local, self._outbox), self._outbox, now)
        # Before the actions: an agent that ends here finds what they began.
        self._journal.write(self._local)
        for action in actions:
            lanes.submit(_lane(action), self._guarded(partial(self._carry_out, action)))
        for message in messages:
            lanes.submit(message.subject, self._guarded(partial(self._send, message)))

    def _carry_out(self, action: Action) -> None:
        act: Callable[[LocalTask, str], Event | None]
        match action:
            case Start():
                self._start(action)
            case Signal(task, name):
                key = (task.task.arn, name)
                self._try(partial(self._runtime.signal, task, name), NotSignalled(*key, kill=False), Signalled(*key))
            case Kill(task, name):
                self._try(partial(self._runtime.kill, task, name), NotSignalled(task.task.arn, name, kill=True))
            case Freeze(task, name, frozen):
                act = self._runtime.freeze if frozen else self._runtime.thaw
                self._try(partial(act, task, name), NotFrozen(task.task.arn, name))
            case Remove(task):
                self._remove(task)

    def _remove(self, task: LocalTask) -> None:
        try:
            self._runtime.remove(task)
        except SimError as error:
            # What is left of it goes with the run.
            _LOG.warning("%s is not removed: %s", task.task.arn, error)

    def _start(self, action: Start) -> None:
        task, name = action.task, action.container
        try:
            self._inbox.put(self._runtime.start(action, self._environment(task, name)))
        except CannotStart as error:
            self._inbox.put(StartFailed(task.task.arn, name, str(error)))
        except Exception as error:
            _LOG.exception("%s of %s cannot be started", name, task.task.arn)
            self._inbox.put(
                StartFailed(task.task.arn, name, f"CannotStartContainerError: {type(error).__name__}: {error}")
            )

    def _try(self, act: Callable[[], Event | None], refused: Event, done: Event | None = None) -> None:
        """Does what may be refused for now, as by an engine that is busy, and is then to be tried again."""
        try:
            event = act() or done
        except SimError as error:
            if not isinstance(error, NotYet):
                _LOG.warning("%s: %s", refused, error)
            event = refused
        if event:
            self._inbox.put(event)

    def _environment(self, task: LocalTask, name: str) -> Mapping[str, str]:
        defined = definition.container(task.task, name)
        client = partial(self._control_plane.client, keys=definition.keys(task))
        secrets = fetched(defined, task.task.place, client)
        return definition.environment(defined, self._given(task.task, name), secrets)

    def _send(self, message: Message) -> None:
        try:
            self._control_plane.send(message)
        except ControlPlaneFailed as error:
            _LOG.warning("%s", error)
            self._inbox.put((message, True))
        else:
            self._inbox.put((message, False))

    def _poll(self) -> None:
        revision = None
        while not self._stopped.is_set():
            try:
                desired = self._control_plane.desired(revision)
            except ControlPlaneFailed as error:
                _LOG.warning("%s", error)
                self._stopped.wait(_AGAIN_SECONDS)
                continue
            if desired.revision != revision:
                revision = desired.revision
                self._inbox.put(desired)

    def _measure(self, clock: AwsClock) -> None:
        meter = Meter(time.time())
        while not self._stopped.wait(clock.until_next_minute(time.time())):
            instances = self._desired.instances if self._desired else ()
            meter, data = meter.read(self._local, instances, self._runtime.usage, time.time(), clock)
            for (place, namespace), of in data.items():
                try:
                    self._control_plane.publish(place, namespace, of)
                except ControlPlaneFailed as error:
                    _LOG.warning("%s", error)

    def _disconnect(self) -> None:
        for each in self._outbox.deliveries.values():
            if isinstance(each.message, Connected):
                try:
                    self._control_plane.disconnect(each.message.instance, each.message.place)
                except ControlPlaneFailed as error:
                    _LOG.warning("%s", error)
                    return


def _lane(action: Action) -> str:
    container = "" if isinstance(action, Remove) else action.container
    return f"{action.task.task.arn} {container}"
