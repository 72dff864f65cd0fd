"""The API does what its OpenAPI document says: takes what the document allows, refuses the rest, answers as described.

Each operation is asked with examples, with the corners of its schemas, and with what Hypothesis finds, in the document
and beside it; every check that schemathesis has for an answer is made.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import schemathesis
from hypothesis import given, settings
from schemathesis import Case, GenerationMode

from services.api.openapi import openapi
from sim.client.api import Client
from tests.property.in_process import Sqs, application
from tests.property.strategies import TOKEN

DOCUMENT = schemathesis.openapi.from_wsgi("/openapi.json", application(Sqs()), config=schemathesis.Config())


def ask(case: Case[Any], token: str) -> None:
    """Asks, with the token in the place of any text for it, and makes all checks."""
    if isinstance(case.body, dict) and isinstance(case.body.get("token"), str):
        case.body["token"] = token
    case.call_and_validate()


def test_the_document_is_openapi_and_its_schemas_are_json_schema() -> None:
    DOCUMENT.validate()
    for schema in openapi()["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


@DOCUMENT.parametrize()
@settings(max_examples=400)
def test_the_api_is_as_described(case: Case[Any]) -> None:
    ask(case, TOKEN)


def test_the_api_is_as_described_over_http(client: Client) -> None:
    document = schemathesis.openapi.from_url(f"{client.url}/openapi.json", config=schemathesis.Config())
    publish = document["/publish"]["POST"]

    @settings(max_examples=50)
    @given(publish.as_strategy(GenerationMode.POSITIVE) | publish.as_strategy(GenerationMode.NEGATIVE))
    def is_as_described(case: Case[Any]) -> None:
        ask(case, client.token)

    is_as_described()
