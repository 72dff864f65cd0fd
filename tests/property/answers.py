"""What an answer of the API must be, in this process and over HTTP."""

from __future__ import annotations

import json
from typing import Any

from schemathesis import Case

from sim.client.api import ApiAnswer
from tests.property.oracle import Ruling
from tests.property.strategies import MARKER


def assert_problem(answer: ApiAnswer, ruling: Ruling) -> None:
    """A problem as in RFC 9457, of the ruling's type, that names each bad field and repeats no value."""
    document = answer.document
    assert (answer.status, document["type"]) == (ruling.status, f"urn:email-api:problem:{ruling.problem}")
    assert answer.headers["content-type"] == "application/problem+json"
    members = {"type", "title", "status", "detail", "request_id"}
    assert set(document) == (members | {"errors"} if ruling.faults else members)
    assert document["status"] == answer.status
    assert document["request_id"] == answer.headers["x-request-id"]
    errors: Any = document.get("errors", [])
    found = sorted((error["field"], error["rule"]) for error in errors)
    assert [field for field, _ in found] == [field for field, _ in ruling.faults]
    assert all(rule.startswith(begins) for (_, rule), (_, begins) in zip(found, ruling.faults, strict=True))
    assert MARKER not in json.dumps(document)


def ask(case: Case[Any], token: str) -> None:
    """Asks, with the token in the place of any text for it, and makes all checks."""
    if isinstance(case.body, dict) and isinstance(case.body.get("token"), str):
        case.body["token"] = token
    case.call_and_validate()
