"""How many e-mails are stored, and answers that take long to get."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from sim.cloud.resources import DataPlane
from sim.host.loopback import json_of

_Answer = TypeVar("_Answer")
_SECONDS: Final = 5
_RARELY: Final = 10
"""What takes long is asked again after so many times as long as it took."""


class Rarely(Generic[_Answer]):
    """Remembers an answer that may take long to get."""

    def __init__(self, ask: Callable[[], _Answer]) -> None:
        self._ask = ask
        self._known: tuple[float, _Answer] | None = None
        """When to ask again, and the answer."""
        self.at = 0.0
        """When the newest answer was asked for, in Unix seconds."""

    def answer(self) -> _Answer:
        """The newest answer, of now or of a little while ago."""
        began = time.monotonic()
        if self._known is None or began >= self._known[0]:
            self.at = time.time()
            answer = self._ask()
            ended = time.monotonic()
            self._known = (ended + _RARELY * (ended - began), answer)
        return self._known[1]


class StoredObjects:
    """Counts the objects of a pipeline. Our local cloud knows their number; another one has to list them."""

    def __init__(self, of: DataPlane) -> None:
        names = of.resources
        self._route = f"{of.endpoint}/_sim/buckets/{names.bucket}/objects?{urlencode({'prefix': names.prefix})}"
        self._listed = Rarely(lambda: len(of.object_keys()))

    def count(self) -> tuple[int, float]:
        """The number, and when it was so, in Unix seconds. Raises what boto3 raises."""
        at = time.time()
        answer: dict[str, Any] | None = json_of(self._route, seconds=_SECONDS)
        if answer is not None:
            return int(answer["objects"]), at
        return self._listed.answer(), self._listed.at
