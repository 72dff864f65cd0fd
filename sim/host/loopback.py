"""HTTP to this machine's own address: whatever proxies the environment names, none of them is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import urllib3

# urllib3 asks no proxy of the environment; urllib.request, requests and botocore do.
_POOL: Final = urllib3.PoolManager(retries=False)


class NoAnswer(Exception):
    """Nobody listens there, or the answer was not whole in time."""


def request(
    method: str, url: str, *, seconds: float, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> urllib3.BaseHTTPResponse:
    """One request, its answer whole. Raises NoAnswer, which names the URL and the reason."""
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
