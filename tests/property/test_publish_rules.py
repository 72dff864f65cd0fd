"""Whatever is sent to the API, its answer is the one that the rules give, and SQS gets exactly what is accepted."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.pipeline.message import Message
from tests.property.answers import assert_problem
from tests.property.in_process import MESSAGE_MAX_BYTES, RECEIVED_AT, Api
from tests.property.oracle import ACCEPTED, Rules, Ruling, judge, message_bytes
from tests.property.strategies import (
    TOKEN,
    almost_good_bodies,
    any_json,
    any_text,
    encoded,
    good_emails,
    good_times,
    header_values,
    headers,
    keys,
    odd_keys,
    odd_times,
)

RULES = Rules(TOKEN, MESSAGE_MAX_BYTES, RECEIVED_AT)
ID_CHARACTERS = string.ascii_letters + string.digits + "._-"


@pytest.fixture(scope="module")
def api() -> Api:
    return Api()


def assert_as_ruled(api: Api, body: bytes, sent_with: dict[str, str] | None = None) -> None:
    """Asks, and holds the answer and what SQS was sent against the rules."""
    sent_with = sent_with or {}
    ruling = judge(RULES, body, sent_with.get("Idempotency-Key"))
    api.sqs.bodies.clear()
    answer = api.post(body, sent_with)
    if ruling == ACCEPTED:
        assert answer.status == 200
        [sent] = map(Message.decode, api.sqs.bodies)
        assert answer.document == {"status": "ok", "message_id": sent.id}
        assert sent.data.model_dump() == json.loads(body)["data"]
        assert sent.received_at == RECEIVED_AT
    else:
        assert_problem(answer, ruling)
        assert not api.sqs.bodies


@settings(max_examples=100)
@given(st.binary(max_size=200) | any_text.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"")
@example(b"\xef\xbb\xbf{}")
def test_any_bytes(api: Api, body: bytes) -> None:
    assert_as_ruled(api, body)


@settings(max_examples=100)
@given(
    any_json
    | st.fixed_dictionaries({"token": st.just(TOKEN), "data": any_json})
    | st.fixed_dictionaries({"token": any_text, "data": good_emails}),
    st.booleans(),
)
@example({"token": TOKEN, "data": float("nan")}, True)
@example({"token": TOKEN, "data": {"email_subject": "\ud800"}}, True)
def test_any_json(api: Api, document: object, escaped: bool) -> None:
    assert_as_ruled(api, encoded(document, escaped=escaped))


@settings(max_examples=300)
@given(almost_good_bodies(), headers)
def test_almost_good_requests(api: Api, body: bytes, sent_with: dict[str, str]) -> None:
    assert_as_ruled(api, body, sent_with)


@settings(max_examples=150)
@given(good_emails, odd_times | good_times | any_text)
def test_only_unix_seconds_are_a_time(api: Api, email: dict[str, str], time: str) -> None:
    assert_as_ruled(api, encoded({"token": TOKEN, "data": email | {"email_timestream": time}}))


@settings(max_examples=100)
@given(good_emails, keys | odd_keys)
def test_only_printable_ascii_is_a_key(api: Api, email: dict[str, str], key: str) -> None:
    assert_as_ruled(api, encoded({"token": TOKEN, "data": email}), {"Idempotency-Key": key})


@given(good_emails, st.sampled_from('xé\n"\u2028\x7f\U0001f600'), st.integers(-8, 8), st.none() | keys)
def test_the_size_is_judged_to_the_byte(
    api: Api, email: dict[str, str], filling: str, beyond: int, key: str | None
) -> None:
    def size(content: str) -> int:
        return message_bytes(RULES, email | {"email_content": content}, with_key=key is not None)

    full, rest = divmod(MESSAGE_MAX_BYTES + beyond - size(""), size(filling) - size(""))
    content = filling * full + "x" * rest
    assert size(content) == MESSAGE_MAX_BYTES + beyond
    body = encoded({"token": TOKEN, "data": email | {"email_content": content}}, escaped=False)
    assert_as_ruled(api, body, {} if key is None else {"Idempotency-Key": key})


@settings(max_examples=20)
@given(almost_good_bodies(), st.integers(-1, 2))
def test_a_request_is_read_up_to_a_limit(api: Api, body: bytes, beyond: int) -> None:
    assert_as_ruled(api, body.ljust(RULES.max_request_bytes + beyond))


@settings(max_examples=50)
@given(st.sampled_from([("[", "]"), ('{"a":', "}")]), st.integers(1, 5000), st.booleans())
def test_however_deep_it_is_never_a_failure_of_the_api(
    api: Api, brackets: tuple[str, str], depth: int, closed: bool
) -> None:
    """How deep JSON may be is each parser's own affair: RFC 8259, section 9."""
    begin, end = brackets
    answer = api.post(f'{{"token": "{TOKEN}", "data": {begin * depth}0{end * depth if closed else ""}}}'.encode())
    assert answer.status == 400


@given(good_emails, good_emails, keys, keys)
def test_the_halves_of_an_id_are_a_law_of_the_key_and_of_the_email(
    api: Api, email: dict[str, str], other_email: dict[str, str], key: str, other_key: str
) -> None:
    def halves(data: dict[str, str], header: str) -> list[str]:
        return api.post(encoded({"token": TOKEN, "data": data}), {"Idempotency-Key": header}).message_id.split("-")

    first, second = halves(email, key)
    assert halves(email, key) == halves(email, f'\t"{key}" ') == [first, second]
    beside = halves(other_email, key)
    assert beside[0] == first
    assert (beside[1] == second) == (other_email == email)
    assert (halves(email, other_key) == [first, second]) == (other_key == key)


@given(
    st.text(max_size=20) | st.text("/.publishealth%2\0", max_size=20), st.sampled_from(["GET", "POST", "OPTIONS", "-"])
)
def test_there_is_nothing_at_any_other_path(api: Api, path: str, method: str) -> None:
    assert_problem(api.request(method, f"/other{path}"), Ruling(404, "not-found"))


@given(st.text(ID_CHARACTERS, min_size=1) | st.text(ID_CHARACTERS, min_size=126, max_size=130) | header_values)
def test_a_request_id_is_kept_if_it_is_one(api: Api, sent: str) -> None:
    kept = 1 <= len(sent) <= 128 and set(sent) <= set(ID_CHARACTERS)
    answered = api.post(b"", {"X-Request-Id": sent}).headers["x-request-id"]
    assert answered == sent if kept else len(answered) == 32 and set(answered) <= set(string.hexdigits)
