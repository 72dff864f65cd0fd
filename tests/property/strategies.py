"""Requests to `POST /publish`: good ones, those that are almost good, and anything."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.property.oracle import FIELDS, LAST_SECOND

TOKEN = "the token of these tests"
MARKER = "zzqx"
"""Begins values that no answer may repeat."""

any_text = st.text(st.characters(), max_size=10)
"""Of all code points, lone surrogates too."""
any_value = any_text | any_text.map(MARKER.__add__)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_value,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=8,
)

good_texts = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n\r\x7f"),
    max_size=10,
)
good_times = st.builds(
    "{:0{}}".format, st.integers(0, LAST_SECOND) | st.sampled_from([0, LAST_SECOND]), st.integers(0, 12)
)
good_emails = st.fixed_dictionaries({name: good_times if name == "email_timestream" else good_texts for name in FIELDS})

_CORNERS = "\x00\x08\x0b\x0c\x1f\x7f\x80\ud7ff\ud800\udfff\ue000\ufffd\ufffe\uffff\U00010000\U0001ffff\U0010ffff"
odd_texts = st.builds("{}{}{}".format, good_texts, st.sampled_from(_CORNERS), good_texts)
odd_times = (
    st.integers(LAST_SECOND - 2, LAST_SECOND + 2).map(str)
    | st.text("09", min_size=12, max_size=14)
    | st.text(st.characters(categories=["Nd"]), min_size=1, max_size=12)
    | st.text(st.characters(categories=["No", "Nl"]), min_size=1, max_size=3)
    | st.builds(
        "{}{}{}".format,
        st.sampled_from(["", " ", "+", "-", "0x", "1_", "1.", "1e", "\x00"]),
        good_times,
        st.sampled_from(["", " ", "\n", ".0", "\x00"]),
    )
)

header_values = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f") | st.just("\t"), max_size=20
)
"""All that a server passes on: https://www.rfc-editor.org/rfc/rfc9110#section-5.5"""
_printable = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
_in_a_key = st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=",")
_long = st.integers(253, 258).map("k".__mul__)
keys = (st.text(_in_a_key, min_size=1, max_size=20) | _long.map(lambda text: text[:255])).filter(
    lambda key: key == key.strip(" ") and key[0] != '"'
)
_around_a_key = st.sampled_from(["", " ", "\t", '"', ' "', '" '])
odd_keys = header_values | st.builds(
    "{}{}{}".format, _around_a_key, st.text(_printable, max_size=4) | _long, _around_a_key
)
headers = st.fixed_dictionaries({}, optional={"Idempotency-Key": keys | odd_keys, "Content-Type": header_values})


def encoded(document: object, *, escaped: bool = True) -> bytes:
    """The JSON of a document; lone surrogates as escapes, or as the bytes that they would be if they were text."""
    return json.dumps(document, ensure_ascii=escaped).encode("utf-8", "surrogatepass")


@st.composite
def almost_good_bodies(draw: st.DrawFn) -> bytes:
    """A good request in which a few members were taken away, replaced or added, and now and then some bytes."""
    request: dict[str, Any] = {"data": draw(good_emails), "token": TOKEN}
    for _ in range(draw(st.integers(0, 3))):
        data = request.get("data")
        change(draw, data if isinstance(data, dict) and draw(st.integers(0, 3)) else request)
    body = encoded(request, escaped=draw(st.booleans()))
    if draw(st.integers(0, 9)):
        return body
    start = draw(st.integers(0, len(body)))
    return body[:start] + draw(st.binary(max_size=4)) + body[start + draw(st.integers(0, 4)) :]


def change(draw: st.DrawFn, members: dict[str, Any]) -> None:
    """Changes one member of an object, or adds one."""
    if not members or not draw(st.integers(0, 3)):
        members[draw(any_text | st.text("x.é", min_size=90, max_size=110))] = draw(any_json)
        return
    name = draw(st.sampled_from(sorted(members)))
    match draw(st.sampled_from(["make odd", "replace", "take away"])):
        case "make odd":
            members[name] = draw(odd_times if name == "email_timestream" else odd_texts)
        case "replace":
            members[name] = draw(any_json)
        case "take away":
            del members[name]
