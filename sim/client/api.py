"""A careful client of the API: it tries again what may be tried again, under one Idempotency-Key."""

from __future__ import annotations

import json
import random
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus

import urllib3

from services.pipeline.message import Email
from sim.client import retry
from sim.history.events import PublishOutcome


@dataclass(frozen=True)
class ApiAnswer:
    """What came back: the HTTP status, or NO_ANSWER; the JSON document; the headers by their names in lower case."""

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
    def outcome(self) -> PublishOutcome:
        """What it says about the e-mail."""
        return retry.outcome_of(self.status)

    def why(self) -> str:
        """In a few words, why it was not accepted."""
        errors = self.document.get("errors")
        named = "; ".join(f"{e['field']} {e['rule']}" for e in errors) if isinstance(errors, list) else ""
        said = (self.status or "no answer", named or self.document.get("detail"))
        return ": ".join(str(each) for each in said if each)


class Client:
    """Publishes to one API. Safe for many threads."""

    def __init__(self, url: str, token: str, *, connections: int = 64, timeout_seconds: float = 30) -> None:
        self.url = url
        self.token = token
        self._pool = urllib3.PoolManager(maxsize=connections, block=True, timeout=timeout_seconds, retries=False)

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> ApiAnswer:
        """Sends `POST /publish` with any body, once."""
        return self.request("POST", "/publish", body, headers)

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> ApiAnswer:
        """Sends any request, once. If no answer comes, the ApiAnswer has the status NO_ANSWER."""
        try:
            response = self._pool.request(
                method,
                f"{self.url}{path}",
                body=body or None,
                headers={"Content-Type": "application/json", **(headers or {})},
            )
        except urllib3.exceptions.HTTPError as error:
            return ApiAnswer(retry.NO_ANSWER, {"detail": type(error).__name__}, {})
        return ApiAnswer(response.status, _document(response.data), {k.lower(): v for k, v in response.headers.items()})

    def publish(self, email: Email, idempotency_key: str | None = None) -> ApiAnswer:
        """Publishes one e-mail, with one try."""
        body = json.dumps({"data": email.model_dump(), "token": self.token}, ensure_ascii=False).encode()
        return self.post(body, {} if idempotency_key is None else {"Idempotency-Key": idempotency_key})

    def publish_surely(self, email: Email) -> ApiAnswer:
        """Publishes one e-mail under one key, so that it is stored once at most, as `sim.client.retry` decides."""
        key = str(uuid.uuid4())
        draw = random.Random()  # noqa: S311 - spreads load only
        return retry.publish(lambda _: self.publish(email, key), time.sleep, draw)


def _document(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body)
    except ValueError:
        return {"detail": body[:200].decode(errors="replace")}
    return document if isinstance(document, dict) else {"detail": document}
