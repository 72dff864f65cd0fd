"""A `Runtime` on an event loop: code that waits gives way to the other code of its thread, and no thread waits with it.

Such code runs in a greenlet of `Greenlets`. Where it waits, however deep inside Flask, the greenlet hands what it waits
for to the coroutine that runs it, which awaits that and comes back with the result.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar, cast

from greenlet import getcurrent, greenlet

from services.pipeline.runtime import Machine

T = TypeVar("T")
C = TypeVar("C")

_OVER: Any = object()
"""Said instead of what a function waits for, when it is done."""


class Greenlets:
    """Runs functions for the coroutines of one thread, each in a greenlet, so that within it `wait` waits.

    A greenlet that is done runs another function later. A new one would begin on fresh pages of memory, and getting
    those from the kernel takes some of the time of a request.
    """

    def __init__(self) -> None:
        self._idle: list[greenlet] = []

    async def run(self, function: Callable[[], T]) -> T:
        """What `function` returns or raises."""
        returned: list[T] = []
        raised: list[BaseException] = []

        def perform() -> None:
            try:
                returned.append(function())
            except (Exception, asyncio.CancelledError) as error:
                raised.append(error)

        runs = self._idle.pop() if self._idle else _begun()
        step = runs.switch(perform)
        while step is not _OVER:
            try:
                value = await step
            except BaseException as error:
                step = runs.throw(error)
            else:
                step = runs.switch(value)
        self._idle.append(runs)
        if raised:
            raise raised[0]
        return returned[0]


def _begun() -> greenlet:
    """A greenlet that waits for a function."""
    runs = greenlet(_work)
    runs.switch()
    return runs


def _work() -> None:
    # The function is bound to no name: what a request held goes when it is answered.
    while True:
        wait(_OVER)()


def wait(step: Awaitable[T]) -> T:
    """What `step` comes to or raises, for code in `Greenlets`; meanwhile the loop goes on."""
    awaits = getcurrent().parent
    if awaits is None:
        raise RuntimeError("code outside Greenlets cannot wait on the loop")
    return cast("T", awaits.switch(step))


class LoopEvent:
    """As `threading.Event`, for one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._set = False
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        self._set = True
        for future in self._waiting:
            _release(future)
        self._waiting.clear()

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            future = self._loop.create_future()
            self._waiting.append(future)
            if timeout is None:
                wait(future)
            else:
                timer = self._loop.call_later(timeout, _release, future)
                wait(future)
                timer.cancel()
                if not self._set:
                    self._waiting.remove(future)
        return self._set


class LoopLock:
    """As `threading.Lock`, for `with` only and for one loop. Who waits longest is next."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._held = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __enter__(self) -> None:
        if self._held:
            future = self._loop.create_future()
            self._waiting.append(future)
            wait(future)
        self._held = True

    def __exit__(self, *_error: object) -> None:
        if self._waiting:
            # It stays held: the next one has it.
            self._waiting.popleft().set_result(None)
        else:
            self._held = False


class LoopRuntime(Machine):
    """The machine's clocks and entropy, and greenlets on a loop. What it makes is for the loop's thread alone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._greenlets = Greenlets()
        self._tasks: set[asyncio.Task[None]] = set()

    def sleep(self, seconds: float) -> None:
        wait(asyncio.sleep(seconds))

    def event(self) -> LoopEvent:
        return LoopEvent(self._loop)

    def lock(self) -> AbstractContextManager[object]:
        return LoopLock(self._loop)

    def spawn(self, function: Callable[[], None]) -> None:
        task = self._loop.create_task(self._greenlets.run(function))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def offload(client: C, loop: asyncio.AbstractEventLoop, threads: int) -> C:
    """The client for code in `Greenlets`: each call is made in one of so many threads, and the code waits."""
    return cast("C", _Offloaded(client, loop, threads))


class _Offloaded:
    def __init__(self, client: object, loop: asyncio.AbstractEventLoop, threads: int) -> None:
        self._client = client
        self._loop = loop
        self._threads = ThreadPoolExecutor(threads)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            return wait(self._loop.run_in_executor(self._threads, partial(method, **parameters)))

        return call


def _release(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
