"""What is not published, and what its client is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.pipeline.message import Email
from sim.client.api import ApiAnswer, Client

PROBLEM = "application/problem+json"


def post(client: Client, email: Email, *, token: object = None, **fields: object) -> ApiAnswer:
    """A publish with some fields of its data replaced; with `...` a field is left out."""
    data = {name: value for name, value in {**email.model_dump(), **fields}.items() if value is not ...}
    return client.post(json.dumps({"data": data, "token": client.token if token is None else token}).encode())


def assert_problem(answer: ApiAnswer, status: int, slug: str) -> None:
    assert (answer.status, answer.document["type"]) == (status, f"urn:email-api:problem:{slug}")
    assert answer.headers["content-type"] == PROBLEM
    assert answer.document["status"] == status
    assert answer.document["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b'"text"', b"\xff\xfe", b'{"a": NaN}', b"[" * 10_000])
def test_what_is_not_a_json_object_is_refused(client: Client, body: bytes) -> None:
    assert_problem(client.post(body), 400, "not-json")


def test_a_lone_surrogate_is_not_text(client: Client) -> None:
    body = b'{"token": "%s", "data": {"email_subject": "\\ud800"}}' % client.token.encode()
    assert_problem(client.post(body), 400, "not-json")


@pytest.mark.parametrize(
    "time",
    ["", " 1", "1 ", "+1", "-1", "1_000", "1.0", "1e3", "0x1", "１", "١", "1\n", "253402300800", "0" * 13, 1, None, []],
)
def test_only_ascii_digits_up_to_the_year_9999_are_a_time(client: Client, email: Email, time: object) -> None:
    answer = post(client, email, email_timestream=time)
    assert_problem(answer, 400, "invalid-email")
    [error] = errors(answer)
    assert error["field"] == "data.email_timestream"


@pytest.mark.parametrize("field", ["email_subject", "email_sender", "email_timestream", "email_content"])
def test_every_field_is_required(client: Client, email: Email, field: str) -> None:
    answer = post(client, email, **{field: ...})
    assert errors(answer) == [{"field": f"data.{field}", "rule": "is required"}]


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
@pytest.mark.parametrize("field", ["email_subject", "email_sender", "email_content"])
def test_characters_that_sqs_refuses_are_refused_here(client: Client, email: Email, field: str, character: str) -> None:
    answer = post(client, email, **{field: f"before{character}after"})
    assert_problem(answer, 400, "invalid-email")
    assert "XML 1.0" in errors(answer)[0]["rule"]


def test_every_bad_field_is_named_and_no_value_is_echoed(client: Client, email: Email) -> None:
    answer = post(client, email, email_subject=["s3cret"], email_timestream="s3cret", email_sender=..., more="s3cret")
    assert_problem(answer, 400, "invalid-email")
    assert {error["field"]: error["rule"] for error in errors(answer)} == {
        "data.email_subject": "must be a string",
        "data.email_sender": "is required",
        "data.email_timestream": "must be Unix seconds in 1 to 12 ASCII digits, 0 to 253402300799",
        "data.more": "is not a known field",
    }
    assert "s3cret" not in json.dumps(answer.document)


@pytest.mark.parametrize("data", [None, [], "text", 1])
def test_data_must_be_an_object(client: Client, data: object) -> None:
    answer = client.post(json.dumps({"token": client.token, "data": data}).encode())
    assert_problem(answer, 400, "invalid-email")
    assert errors(answer)[0]["field"] == "data"


def test_an_unknown_member_beside_data_is_refused(client: Client, email: Email) -> None:
    body = {"token": client.token, "data": email.model_dump(), "more": 1}
    assert errors(client.post(json.dumps(body).encode())) == [{"field": "more", "rule": "is not a known field"}]


def test_a_body_too_long_to_read_is_refused(client: Client) -> None:
    assert_problem(client.post(b" " * 7_000_000), 413, "too-large")


def test_other_paths_and_methods(client: Client) -> None:
    assert_problem(client.request("GET", "/nothing/here"), 404, "not-found")
    answer = client.request("GET", "/publish")
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"
    assert_problem(client.request("DELETE", "/publish"), 405, "method-not-allowed")


def test_a_host_that_is_none_is_no_fault_of_the_body(client: Client, email: Email) -> None:
    body = json.dumps({"data": email.model_dump(), "token": client.token}).encode()
    assert_problem(client.post(body, {"Host": "h" * 3000}), 400, "malformed-request")


def test_a_request_id_is_kept_if_it_is_one_and_made_otherwise(client: Client) -> None:
    assert client.request("GET", "/x", headers={"X-Request-Id": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    made = client.request("GET", "/x", headers={"X-Request-Id": "no spaces, please"}).headers["x-request-id"]
    assert len(made) == 32


def errors(answer: ApiAnswer) -> list[dict[str, Any]]:
    listed = answer.document["errors"]
    assert isinstance(listed, list)
    return listed
