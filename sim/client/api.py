"""A client of the API, as a careful one is written: it retries what may be retried, under one Idempotency-Key."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

import urllib3

from services.pipeline.message import Email
from services.pipeline.runtime import full_jitter
from sim.history.events import Outcome

K = TypeVar("K")

ATTEMPTS = 6
_LEAVES_OPEN = frozenset({0, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
_RETRIABLE = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status, or 0 when no answer came; the JSON document; the answer's headers."""

    status: int
    document: dict[str, object]
    headers: dict[str, str]

    @property
    def accepted(self) -> bool:
        """Whether the e-mail is in the queue for certain."""
        return self.status == HTTPStatus.OK

    @property
    def message_id(self) -> str:
        """Names the object in which the e-mail will be; only of an accepted one."""
        return str(self.document["message_id"])

    @property
    def outcome(self) -> Outcome:
        """What it says of the e-mail."""
        if self.accepted:
            return Outcome.OK
        return Outcome.INFO if self.status in _LEAVES_OPEN else Outcome.FAIL

    def why(self) -> str:
        """In a few words, why it was not accepted."""
        errors = self.document.get("errors")
        named = "; ".join(f"{e['field']} {e['rule']}" for e in errors) if isinstance(errors, list) else ""
        return f"{self.status or 'no answer'}: {named or self.document.get('detail', '')}"


class Client:
    """Publishes to one API. Safe for many threads."""

    def __init__(self, url: str, token: str, *, connections: int = 64, timeout_seconds: float = 30) -> None:
        self.url = url
        self.token = token
        self._pool = urllib3.PoolManager(maxsize=connections, block=True, timeout=timeout_seconds, retries=False)

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        """`POST /publish` with any body, once."""
        return self.request("POST", "/publish", body, headers)

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Any request, once. No answer is an Answer too."""
        try:
            response = self._pool.request(
                method,
                f"{self.url}{path}",
                body=body or None,
                headers={"Content-Type": "application/json", **(headers or {})},
            )
        except urllib3.exceptions.HTTPError as error:
            return Answer(0, {"detail": type(error).__name__}, {})
        return Answer(response.status, _document(response.data), {k.lower(): v for k, v in response.headers.items()})

    def publish(self, email: Email, idempotency_key: str | None = None) -> Answer:
        """One e-mail, once."""
        body = json.dumps({"data": email.model_dump(), "token": self.token}, ensure_ascii=False).encode()
        return self.post(body, {} if idempotency_key is None else {"Idempotency-Key": idempotency_key})

    def publish_surely(self, email: Email) -> Answer:
        """One e-mail, up to ATTEMPTS times under one key: however often it is sent, it is stored once.

        The last answer; but a refusal does not settle what an earlier answer left open, so then it is that one.
        """
        key = str(uuid.uuid4())
        last = said = self.publish(email, key)
        for attempt in range(1, ATTEMPTS):
            if last.status and last.status not in _RETRIABLE:
                break
            time.sleep(full_jitter(attempt, base=0.2, cap=5, draw=random.Random()))  # noqa: S311 - spreads load only
            last = self.publish(email, key)
            if last.outcome is not Outcome.FAIL or said.outcome is Outcome.FAIL:
                said = last
        return said


@dataclass(frozen=True)
class Published(Generic[K]):
    """One of many: what the caller calls it, and its answer."""

    name: K
    answer: Answer


def publish_all(
    client: Client, emails: Iterable[tuple[K, Email]], *, concurrency: int, rate: float | None = None
) -> Iterator[Published[K]]:
    """Publishes lazily, `concurrency` at once and `rate` a second at most; the answers as they come."""
    under_way: dict[Future[Answer], K] = {}
    pace = _Pace(rate)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="publish") as pool:
        for name, email in emails:
            pace.wait()
            under_way[pool.submit(client.publish_surely, email)] = name
            if len(under_way) >= concurrency:
                yield from _finished(under_way)
        while under_way:
            yield from _finished(under_way)


def _finished(under_way: dict[Future[Answer], K]) -> Iterator[Published[K]]:
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        yield Published(under_way.pop(future), future.result())


class _Pace:
    """Lets `rate` callers a second through, evenly."""

    def __init__(self, rate: float | None) -> None:
        self._step = 1 / rate if rate else 0.0
        self._next = time.monotonic()

    def wait(self) -> None:
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next, time.monotonic()) + self._step


def _document(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body)
    except ValueError:
        return {"detail": body[:200].decode(errors="replace")}
    return document if isinstance(document, dict) else {"detail": document}
