"""HTTP requests to this machine's own address. They never go through a proxy that the environment names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import urllib3

# urllib3 ignores proxies in the environment. urllib.request, requests and botocore use them.
_POOL: Final = urllib3.PoolManager(retries=False)


class NoAnswer(Exception):
    """The server did not listen, or its answer was not complete in time."""


def request(
    method: str, url: str, *, seconds: float, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> urllib3.BaseHTTPResponse:
    """Sends one request and returns the complete answer. Raises NoAnswer with the URL and the reason."""
    try:
        return _POOL.request(method, url, body=body, headers=headers, timeout=seconds)
    except urllib3.exceptions.HTTPError as error:
        raise NoAnswer(f"{method} {url}: {error}") from None


def answers(url: str, *, seconds: float) -> bool:
    """True if a GET of the URL is answered with 200."""
    try:
        return request("GET", url, seconds=seconds).status == 200  # noqa: PLR2004 - HTTP's word for all is well
    except NoAnswer:
        return False
