"""Counts what a log that grows says: the lines that have come since the last look."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)


class Tail(Generic[_Key]):
    """Counts the lines of a file by what `key` makes of the object in each; None is not counted."""

    def __init__(self, path: Path, key: Callable[[Mapping[str, Any]], _Key | None]) -> None:
        self._path = path
        self._key = key
        self._read = 0
        self._counts: Counter[_Key] = Counter()

    def counts(self) -> Mapping[_Key, int]:
        """The counts of all lines that are whole now."""
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self._read)
            block = file.read()
            whole = block[: block.rfind(b"\n") + 1]
            self._read += len(whole)
            found = (self._key(each) for each in objects(whole.splitlines()))
            self._counts.update(each for each in found if each is not None)
        return dict(self._counts)


def objects(lines: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    """The JSON objects among lines; the others are left out."""
    for line in lines:
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found


def request_status(line: Mapping[str, Any]) -> str | None:
    """The status of a client's request in a line of the API's log; whoever asks whether it is ready is no client."""
    is_request = line.get("message") == "request" and line.get("path") != "/ready"
    return str(line["status"]) if is_request else None


def call(line: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Caller, operation and outcome in a line of the gateway's trail."""
    if "operation" not in line:
        return None
    return str(line["caller"]), str(line["operation"]), str(line["outcome"])
