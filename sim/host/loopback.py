"""HTTP to this machine's own address: whatever proxies the environment names, none of them is asked."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import urllib3

# A connection that stayed would keep the other side from ending in order.
_ALONE: Final = {"Connection": "close"}


class NoAnswer(Exception):
    """The server did not listen, or its answer was not complete in time."""


def request(
    method: str, url: str, *, seconds: float, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> urllib3.BaseHTTPResponse:
    """Sends one request on a connection of its own and returns the complete answer.

    Raises NoAnswer with the URL and the reason.
    """
    try:
        # urllib3 asks no proxy of the environment; urllib.request, requests and botocore do.
        with urllib3.PoolManager(retries=False) as connections:
            return connections.request(method, url, body=body, headers={**(headers or {}), **_ALONE}, timeout=seconds)
    except urllib3.exceptions.HTTPError as error:
        raise NoAnswer(f"{method} {url}: {error}") from None


def json_of(url: str, *, seconds: float) -> Any:
    """The JSON document that a GET of the URL is answered with; None without such an answer."""
    try:
        answer = request("GET", url, seconds=seconds)
        return answer.json() if answer.status == HTTPStatus.OK else None
    except (NoAnswer, ValueError):
        return None


def answers(url: str, *, seconds: float) -> bool:
    """True if a GET of the URL is answered with 200."""
    try:
        return request("GET", url, seconds=seconds).status == HTTPStatus.OK
    except NoAnswer:
        return False
