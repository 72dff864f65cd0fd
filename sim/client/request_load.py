"""The load of a project: one HTTP request, described in a TOML file, that clients send again and again."""

from __future__ import annotations

import tomllib
from contextlib import AbstractContextManager
from http import HTTPStatus

import urllib3
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.client.load import Load, sending
from sim.errors import SimError


class BadLoad(SimError):
    """A file does not describe a load."""


class RequestLoad(BaseModel):
    """The request, what is a good answer to it, and how many clients send it. Each field may be left out.

    `listener` is `NAME:PORT` of a load balancer, by default the first. All clients together send at most
    `requests_per_second`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str = "GET"
    path: str = Field("/", pattern="^/")
    headers: dict[str, str] = {}
    body: str = ""
    expect: tuple[int, ...] = (HTTPStatus.OK.value,)
    listener: str = ""
    clients: int = Field(8, ge=1, le=256)
    requests_per_second: float = Field(16.0, gt=0, le=1000)
    timeout_seconds: float = Field(10.0, gt=0)

    def to(self, url: str) -> AbstractContextManager[Load]:
        """Sends it to this URL, until the block ends."""
        pool = urllib3.PoolManager(maxsize=self.clients, timeout=self.timeout_seconds, retries=False)

        def send() -> tuple[str, str]:
            try:
                answer = pool.request(
                    self.method,
                    f"{url}{self.path}",
                    body=self.body.encode() or None,
                    headers=self.headers,
                    redirect=False,
                )
            except urllib3.exceptions.HTTPError as error:
                return f"no answer: {type(error).__name__}", ""
            return ("" if answer.status in self.expect else str(answer.status)), ""

        return sending(send, self.clients, self.clients / self.requests_per_second)


def read(name: str, text: str) -> RequestLoad:
    """The load in a file's text; `name` is the file's, for the error. Raises BadLoad."""
    try:
        return RequestLoad.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadLoad(f"{name} is no TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise BadLoad(f"{name} describes no load: {wrong}; docs/rehearse.md lists the fields") from None
