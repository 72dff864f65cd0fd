"""The OpenAPI document says what the API does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api import problems, publish
from services.api.openapi import openapi
from services.api.problems import Rejection

DOCUMENT = openapi()
PUBLISH = DOCUMENT["paths"]["/publish"]["post"]


@pytest.mark.parametrize(
    "kind",
    [kind for kind in problems.KINDS if kind not in (problems.NOT_FOUND, problems.METHOD_NOT_ALLOWED)],
    ids=lambda kind: kind.slug,
)
def test_every_problem_of_a_publish_is_described(kind: problems.Kind) -> None:
    response = PUBLISH["responses"][str(kind.status.value)]
    assert f"`{kind.type}`" in response["description"]
    assert ("Retry-After" in response.get("headers", {})) == kind.retry


def test_the_types_of_problems_differ() -> None:
    assert len({kind.type for kind in problems.KINDS}) == len(problems.KINDS)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=4) | st.text(max_size=300))
def test_the_pattern_of_the_idempotency_key_says_what_is_taken(header: str) -> None:
    [parameter] = PUBLISH["parameters"]
    documented = re.fullmatch(parameter["schema"]["pattern"], header) is not None
    try:
        publish.idempotency_key(header)
    except Rejection:
        assert not documented
    else:
        # Blanks around a header's value are no part of it: RFC 9110, section 5.5.
        assert documented or header != header.strip(" \t")


def test_every_reference_has_its_schema() -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if "$ref" in node else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert references(DOCUMENT) <= schemas


def test_the_email_is_described_as_it_is_judged() -> None:
    email = DOCUMENT["components"]["schemas"]["Email"]
    assert set(email["required"]) == set(email["properties"])
    assert email["additionalProperties"] is False
