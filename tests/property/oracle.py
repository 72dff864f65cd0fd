"""What the rules of `POST /publish` say of a request: a second reading of docs/api.md, in plain Python.

It shares no code, no pattern and no JSON parser with the API, so where the two differ, one of them is wrong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

FIELDS = ("email_subject", "email_sender", "email_timestream", "email_content")
LAST_SECOND = 253402300799


@dataclass(frozen=True)
class Rules:
    """The settings of a deployment. `received_at` is the time that its clock shows, in Unix seconds."""

    token: str
    max_bytes: int
    received_at: float

    @property
    def max_request_bytes(self) -> int:
        """What is read of a request: six bytes, as in \\u0041, for each of the message's, and room for the rest."""
        return 6 * self.max_bytes + 65_536


@dataclass(frozen=True)
class Ruling:
    """The status and the problem type's last part, for an accepted e-mail "". `faults`, sorted: each bad field, and how
    the sentence about it begins."""

    status: int
    problem: str = ""
    faults: tuple[tuple[str, str], ...] = ()


ACCEPTED = Ruling(200)


def judge(rules: Rules, body: bytes, key: str | None) -> Ruling:
    """What a body must be answered that comes with this Idempotency-Key header, or with none."""
    if key is not None and key_in(key) is None:
        return Ruling(400, "invalid-idempotency-key")
    if len(body) > rules.max_request_bytes:
        return Ruling(413, "too-large")
    try:
        request = parse(body)
    except ValueError:
        return Ruling(400, "not-json")
    return judge_json(rules, request, with_key=key is not None)


def judge_json(rules: Rules, request: object, *, with_key: bool) -> Ruling:
    """The same, once the body is JSON."""
    if not isinstance(request, dict):
        return Ruling(400, "not-json")
    if request.get("token") != rules.token:
        return Ruling(401, "wrong-token")
    faults = sorted((name[:100], rule) for name, rule in faults_of(request))
    if faults:
        return Ruling(400, "invalid-email", tuple(faults))
    if message_bytes(rules, request["data"], with_key=with_key) > rules.max_bytes:
        return Ruling(413, "too-large")
    return ACCEPTED


def key_in(header: str) -> str | None:
    """The key that a header holds, bare or in quotes; None if that is no key."""
    key = header.strip(" \t")
    if key.startswith('"'):
        key = key[1:-1] if len(key) > 1 and key.endswith('"') else ""
    printable = all(" " <= character <= "~" and character != "," for character in key)
    return key if 1 <= len(key) <= 255 and printable and key == key.strip(" ") else None


def parse(body: bytes) -> Any:
    """JSON as RFC 8259 has it, of Unicode text only. Raises ValueError."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    text = body.decode()
    document = json.loads(text, parse_constant=refuse)
    # A lone surrogate is no character, even in a member that a later one of the same name replaces.
    json.dumps(json.loads(text, object_pairs_hook=list), ensure_ascii=False).encode()
    return document


def faults_of(request: dict[str, Any]) -> list[tuple[str, str]]:
    """Each bad field of a request with the right token."""
    unknown = [(name, "is not a known field") for name in request if name not in {"data", "token"}]
    if "data" not in request:
        return [*unknown, ("data", "is required")]
    data = request["data"]
    if not isinstance(data, dict):
        return [*unknown, ("data", "must be an object")]
    unknown += [(f"data.{name}", "is not a known field") for name in data if name not in FIELDS]
    bad = ((name, fault_of(name, data)) for name in FIELDS)
    return unknown + [(f"data.{name}", rule) for name, rule in bad if rule]


def fault_of(name: str, data: dict[str, Any]) -> str:
    """What is wrong with a field of the e-mail, or ""."""
    if name not in data:
        return "is required"
    value = data[name]
    if not isinstance(value, str):
        return "must be a string"
    if name == "email_timestream":
        return "" if is_unix_seconds(value) else "must be Unix seconds"
    return "" if all(map(is_xml_character, value)) else "must be text of XML 1.0 characters"


def is_unix_seconds(text: str) -> bool:
    return set(text) <= set("0123456789") and 1 <= len(text) <= 12 and int(text) <= LAST_SECOND


def is_xml_character(character: str) -> bool:
    """https://www.w3.org/TR/xml/#NT-Char"""
    point = ord(character)
    return point in {0x9, 0xA, 0xD} or 0x20 <= point <= 0xD7FF or 0xE000 <= point <= 0xFFFD or point >= 0x10000


def message_bytes(rules: Rules, data: dict[str, str], *, with_key: bool) -> int:
    """The size in SQS of the message that a good e-mail becomes."""
    message = {"id": "0" * (65 if with_key else 32), "received_at": rules.received_at, "data": data}
    return len(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())
