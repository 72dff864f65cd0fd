"""Ships what containers write to CloudWatch Logs, for the log driver `awslogs`.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sim.agent import definition
from sim.agent.local import LocalTask
from sim.agent.runtime import CannotStart
from sim.aws.arn import last_part
from sim.cluster.desired import Place

_LOG: Final = logging.getLogger(__name__)
_SEND_SECONDS: Final = 0.5
MOST_EVENTS: Final = 1_000
"""That are read and sent at a time."""
_MOST_BYTES: Final = 500_000
_LONGEST: Final = 256_000
"""Bytes of an event; CloudWatch Logs takes 256 KiB with its overhead."""

LogEvent = tuple[int, str]
"""Milliseconds since 1970, and a line."""


class LogsClient(Protocol):
    """The part of boto3's client for CloudWatch Logs that is used."""

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> Any: ...  # noqa: N803 - AWS's names

    def create_log_group(self, *, logGroupName: str) -> Any: ...  # noqa: N803

    def put_log_events(
        self,
        *,
        logGroupName: str,  # noqa: N803
        logStreamName: str,  # noqa: N803
        logEvents: Sequence[Mapping[str, Any]],  # noqa: N803
    ) -> Any: ...


class Clients(Protocol):
    """Makes clients for CloudWatch Logs."""

    def logs(self, place: Place, keys: str) -> LogsClient:
        """A client for an account and a region, with the keys at a path."""


class LogSource(Protocol):
    """Where the lines of a container come from."""

    def read(self) -> Sequence[LogEvent]:
        """The next lines, some at a time; the same again until they are `sent`."""

    def sent(self) -> None:
        """The lines read last have arrived."""

    def end(self) -> None:
        """The container has ended, so a line without an end is one as well."""

    def is_over(self) -> bool:
        """Whether the container has ended and all its lines were sent."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A log stream. `create_group` says whether the driver is to make the group; `keys` is the path of the writer's."""

    place: Place
    group: str
    name: str
    keys: str = ""
    create_group: bool = False


def stream(task: LocalTask, container: Mapping[str, Any], runtime_id: str) -> Stream | None:
    """The stream of a container: PREFIX/CONTAINER/TASK, or the container's id. None with another log driver."""
    configuration = container.get("logConfiguration") or {}
    if configuration.get("logDriver") != "awslogs":
        return None
    options = configuration.get("options") or {}
    prefix = options.get("awslogs-stream-prefix")
    place = task.task.place
    return Stream(
        Place(place.account, options.get("awslogs-region") or place.region),
        options.get("awslogs-group", ""),
        f"{prefix}/{container['name']}/{last_part(task.task.arn)}" if prefix else runtime_id,
        definition.keys(task),
        create_group=options.get("awslogs-create-group") == "true",
    )


class FileSource:
    """The lines of a file. How far they were sent is in a file beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = path.with_suffix(".sent")
        self._read = 0
        self._ended = False
        self._over = False

    def read(self) -> Sequence[LogEvent]:
        if not self._path.exists():
            return ()
        done = int(self._position.read_text()) if self._position.exists() else 0
        with self._path.open("rb") as file:
            file.seek(done)
            block = file.read(_MOST_BYTES)
        last = self._ended and len(block) < _MOST_BYTES
        self._over = last and not block
        whole = block if last else block[: block.rfind(b"\n") + 1] or (block if len(block) == _MOST_BYTES else b"")
        lines = whole.splitlines(keepends=True)[:MOST_EVENTS]
        self._read = done + sum(map(len, lines))
        now = int(time.time() * 1000)
        return [(now, each.decode(errors="replace").rstrip("\r\n")) for each in lines]

    def sent(self) -> None:
        self._position.write_text(str(self._read))

    def end(self) -> None:
        self._ended = True

    def is_over(self) -> bool:
        return self._over


class LogShipper:
    """Sends the lines of all containers, every half second, in a thread of its own."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._sources: dict[Stream, LogSource] = {}
        self._closed = threading.Event()

    def begin(self) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=self._run, name="ship logs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Sends what is there, and ends the thread."""
        self._closed.set()
        self._thread.join()

    def make(self, stream: Stream) -> None:
        """Makes the log stream of a container that is about to start. Raises CannotStart."""
        try:
            client = self._clients.logs(stream.place, stream.keys)
            if stream.create_group:
                _unless_there(lambda: client.create_log_group(logGroupName=stream.group))
            _unless_there(lambda: client.create_log_stream(logGroupName=stream.group, logStreamName=stream.name))
        except (BotoCoreError, ClientError) as error:
            raise CannotStart(
                "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: "
                f"failed to create Cloudwatch log stream: {error}"
            ) from None

    def ship(self, stream: Stream, source: LogSource) -> None:
        """Sends the lines of one more container."""
        with self._lock:
            self._sources[stream] = source

    def finish(self, stream: Stream) -> None:
        """The container has ended."""
        with self._lock:
            if source := self._sources.get(stream):
                source.end()

    def _run(self) -> None:
        while not self._closed.wait(_SEND_SECONDS):
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        with self._lock:
            sources = dict(self._sources)
        for each, source in sources.items():
            try:
                self._send(each, source)
            except (BotoCoreError, ClientError, OSError) as error:
                _LOG.warning("log events for %s in %s are not sent: %s", each.name, each.group, error)
                continue
            if source.is_over():
                with self._lock:
                    del self._sources[each]

    def _send(self, stream: Stream, source: LogSource) -> None:
        """Sends what waits. Another container's turn comes also if this one goes on writing."""
        client = self._clients.logs(stream.place, stream.keys)
        full = True
        while full and (lines := source.read()):
            full = len(lines) >= MOST_EVENTS
            events = [{"timestamp": at, "message": part} for at, line in lines for part in _parts(line)]
            if events:
                client.put_log_events(logGroupName=stream.group, logStreamName=stream.name, logEvents=events)
            source.sent()


def _parts(line: str) -> Iterator[str]:
    """An empty line is no event; a long one is several."""
    return (line[start : start + _LONGEST] for start in range(0, len(line), _LONGEST))


def _unless_there(make: Callable[[], object]) -> None:
    try:
        make()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
