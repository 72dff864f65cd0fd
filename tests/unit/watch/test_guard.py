"""Who may ask the server of the page."""

from __future__ import annotations

import pytest

from sim.watch.guard import Guard

GUARD = Guard(8123, "the token")
HOST, ORIGIN = "127.0.0.1:8123", "http://127.0.0.1:8123"


@pytest.mark.parametrize(
    ("method", "host", "origin", "token", "public"),
    [
        ("GET", HOST, "", "", True),
        ("GET", "localhost:8123", "", "the token", False),
        ("POST", HOST, ORIGIN, "the token", False),
        ("POST", "localhost:8123", "http://localhost:8123", "the token", False),
    ],
)
def test_the_page_may_ask(method: str, host: str, origin: str, token: str, public: bool) -> None:
    assert GUARD.refusal(method, host, origin, token, public=public) == ""


@pytest.mark.parametrize(
    ("method", "host", "origin", "token", "public", "why"),
    [
        ("GET", "evil.example", "", "the token", True, "not for 'evil.example'"),
        ("GET", "127.0.0.1:8124", "", "the token", False, "not for"),
        ("GET", "", "", "the token", False, "not for ''"),
        ("POST", HOST, "http://evil.example", "the token", False, "a page of 'http://evil.example' may not ask"),
        ("POST", HOST, "null", "the token", False, "a page of 'null'"),
        ("POST", HOST, "https://127.0.0.1:8123", "the token", False, "a page of"),
        ("POST", HOST, "", "the token", False, "without an Origin"),
        ("GET", HOST, "", "", False, "not that of this run"),
        ("POST", HOST, ORIGIN, "the tokem", False, "not that of this run"),
        ("POST", HOST, ORIGIN, "żółć", False, "not that of this run"),
    ],
)
def test_nobody_else_may(method: str, host: str, origin: str, token: str, public: bool, why: str) -> None:
    assert why in GUARD.refusal(method, host, origin, token, public=public)
