"""Many tasks in one thread under virtual time, of which one runs until it gives way.

What is to happen is a heap of moments. The earliest is taken, the clock jumps to it, and its task goes on until it
parks or ends; a task that is woken has a moment that is now. Among moments of the same time those come first that were
made first, or, with `draw`, any: so one seed decides every interleaving, and an hour takes no time.

A task is a greenlet: code that waits deep inside boto3 or Flask gives way there, which a generator or a coroutine
could not do for code that does not know of it. Whoever makes the scheduler is a task like the others.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from greenlet import GreenletExit, getcurrent, greenlet

if TYPE_CHECKING:
    import random


class Deadlock(Exception):
    """Every task waits for another, none for a time."""


class Killed(GreenletExit):
    """Raised in a task that is ended from outside, and again wherever it waits on its way out."""


class Task:
    """A function that runs. `turn` numbers its waits, so that a moment of an earlier wait is recognised.

    It is 0 until the task has begun.
    """

    __slots__ = ("ended", "greenlet", "killed", "turn", "woken")

    def __init__(self, runs: greenlet) -> None:
        self.greenlet = runs
        self.turn = 0
        self.woken = False
        self.killed = False
        self.ended = False


class Scheduler:
    """Virtual time in seconds, from 0. What a task raises is raised where the scheduler was made."""

    def __init__(self, draw: random.Random | None = None) -> None:
        self.now = 0.0
        self.current = self._main = Task(getcurrent())
        self._draw = draw
        self._made = 0
        self._moments: list[tuple[float, float, int, Task | Callable[[], None], int]] = []
        self._tasks: dict[Task, Callable[[], object]] = {}
        self._idle: list[greenlet] = []
        self._hub = greenlet(self._run)

    def at(self, time: float, call: Callable[[], None]) -> None:
        """Calls at that time; the call must not wait."""
        self._push(time, call, 0)

    def spawn(self, function: Callable[[], object]) -> Task:
        """A new task, which goes on now or soon."""
        task = Task(self._idle.pop() if self._idle else greenlet(self._work, self._hub))
        self._tasks[task] = function
        self._push(self.now, task, task.turn)
        return task

    def park(self, seconds: float = math.inf) -> bool:
        """Lets the others run until this task is woken (True), or for so many seconds (False).

        Raises Deadlock in the first task when nothing will ever happen again.
        """
        task = self.current
        if task.greenlet is not getcurrent():
            raise RuntimeError("what is called at a moment must not wait: spawn a task for it")
        if task.killed:
            raise Killed
        task.woken = False
        if seconds < math.inf:
            self._push(self.now + max(seconds, 0.0), task, task.turn)
        self._hub.switch()
        if task.killed:
            raise Killed
        return task.woken

    def wake(self, task: Task) -> None:
        """Lets a parked task go on."""
        if not task.woken:
            task.woken = True
            self._push(self.now, task, task.turn)

    def kill(self, task: Task) -> None:
        """Ends a task where it waits. One that kills itself goes on until it waits."""
        if task.killed or task.ended:
            return
        task.killed = True
        self.at(self.now, lambda: self._end(task))

    def close(self) -> None:
        """Ends every task but the first, and the scheduler: Python never collects a greenlet that waits."""
        while self._tasks:
            for task in list(self._tasks):
                self.kill(task)
            self.park(0)
        for runs in (self._hub, *self._idle):
            runs.throw()

    def _push(self, time: float, what: Task | Callable[[], None], turn: int) -> None:
        self._made += 1
        order = self._draw.random() if self._draw is not None else 0.0
        heapq.heappush(self._moments, (time, order, self._made, what, turn))

    def _work(self) -> None:
        """Runs one task after the other. A new greenlet for each would begin on fresh pages of memory, which take the
        kernel longer than some tasks do."""
        while True:
            self._perform(self.current)
            self._hub.switch()

    def _perform(self, task: Task) -> None:
        try:
            self._tasks[task]()
        finally:
            self._ended(task)
        self._idle.append(task.greenlet)

    def _end(self, task: Task) -> None:
        if task.ended:
            return
        if task.turn:
            self.current = task
            task.greenlet.throw(Killed)
        else:
            self._ended(task)
            self._idle.append(task.greenlet)

    def _ended(self, task: Task) -> None:
        task.ended = True
        del self._tasks[task]

    def _run(self) -> None:
        """The hub: runs whenever a task has parked or ended."""
        while True:
            if not self._moments:
                self.current = self._main
                self._main.greenlet.throw(Deadlock("every task waits for another"))
                continue
            time, _, _, what, turn = heapq.heappop(self._moments)
            if isinstance(what, Task):
                if what.turn != turn or what.ended:
                    continue
                self.now = max(self.now, time)
                if what.killed:
                    self._end(what)
                    continue
                what.turn += 1
                self.current = what
                what.greenlet.switch()
            else:
                self.now = max(self.now, time)
                what()
