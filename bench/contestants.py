"""The two implementations that are compared, and how they are started, each with its own stub of AWS."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import urllib3

from bench import stub
from bench.account import Ledger
from bench.children import Child, child
from bench.load import Target, post
from bench.sample import message_body, publish_body
from sim.host.process import free_port

_OK = 200
_HTTP = urllib3.PoolManager(retries=False)


@dataclass(frozen=True)
class Contestant:
    """An implementation: the modules of its two services, and how many e-mails make a drain of some seconds."""

    name: str
    api: str
    worker: str
    drain: int


PLAIN = Contestant("plain", "bench.plain.api", "bench.plain.worker", drain=100)
PRODUCT = Contestant("product", "services.api", "services.worker", drain=4000)


@dataclass(frozen=True)
class Aws:
    """A running stub of AWS."""

    child: Child
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables by which a service uses this stub."""
        return {
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",  # the stub ignores signatures
            "QUEUE_URL": f"http://127.0.0.1:{self.port}/000000000000/emails",
        }

    def ledger(self) -> Ledger:
        """The counts since the last reset."""
        return stub.ledger(_HTTP.request("GET", self._url("/ledger")).data)

    def seed(self, messages: int) -> None:
        """Puts this many messages into the queue at once."""
        _HTTP.request("POST", self._url("/seed"), body=json.dumps({"count": messages}))

    def settle(self) -> None:
        """Empties the queue, waits until no message is in flight, and sets all counts to zero."""
        _HTTP.request("POST", self._url("/reset"))
        self.child.wait_until(lambda: self.ledger().in_flight == 0, "end to what was in flight")
        _HTTP.request("POST", self._url("/reset"))

    def send_message(self) -> Target:
        """One SendMessage call without an SDK. It measures the stub and the load generator alone."""
        body = json.dumps({"QueueUrl": self.environment["QUEUE_URL"], "MessageBody": message_body(0)})
        return post(self.port, "/", body.encode(), "X-Amz-Target: AmazonSQS.SendMessage\r\n")

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{stub.CONTROL}{path}"


@dataclass(frozen=True)
class Api:
    """A running API."""

    child: Child
    port: int

    def publish(self) -> Target:
        """One publish request."""
        return post(self.port, "/publish", publish_body())


@contextmanager
def aws(delay_ms: float) -> Iterator[Aws]:
    """A stub that answers each call after `delay_ms`."""
    port = free_port()
    with child("bench.stub", "--port", str(port), "--delay-ms", str(delay_ms)) as process:
        process.wait_until(lambda: _answers(f"http://127.0.0.1:{port}{stub.CONTROL}/ledger"), "its first answer")
        yield Aws(process, port)


@contextmanager
def api(contestant: Contestant, on: Aws) -> Iterator[Api]:
    """Runs the contestant's API. Yields it once it is healthy."""
    port = free_port()
    environment = {"HOST": "127.0.0.1", "PORT": str(port), "TOKEN_PARAMETER": "/bench/token"}
    with child(contestant.api, environment=on.environment | environment) as process:
        process.wait_until(lambda: _answers(f"http://127.0.0.1:{port}/health"), "a healthy answer")
        yield Api(process, port)


@contextmanager
def worker(contestant: Contestant, on: Aws) -> Iterator[Child]:
    """Runs the contestant's worker. Yields it once it has called ReceiveMessage."""
    on.settle()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment = {"BUCKET": "emails", "PREFIX": "emails/", "HEARTBEAT_FILE": f"{folder}/heartbeat"}
        with child(contestant.worker, environment=on.environment | environment) as process:
            process.wait_until(lambda: "ReceiveMessage" in on.ledger().calls, "its first ReceiveMessage")
            yield process


def _answers(url: str) -> bool:
    try:
        return _HTTP.request("GET", url, timeout=1).status == _OK
    except urllib3.exceptions.HTTPError:
        return False
