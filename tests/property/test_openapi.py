"""The API does what its OpenAPI document says: takes what the document allows, refuses the rest, answers as described.

Each operation is asked with examples, with the corners of its schemas, and with what Hypothesis finds, in the document
and beside it; every check that schemathesis has for an answer is made.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import schemathesis
from hypothesis import settings
from schemathesis import Case

from services.api.openapi import openapi
from tests.property.answers import ask
from tests.property.in_process import Sqs, application
from tests.property.strategies import TOKEN

DOCUMENT = schemathesis.openapi.from_wsgi("/openapi.json", application(Sqs()), config=schemathesis.Config())


def test_the_document_is_openapi_and_its_schemas_are_json_schema() -> None:
    DOCUMENT.validate()
    for schema in openapi()["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


@DOCUMENT.parametrize()
@settings(max_examples=400)
def test_the_api_is_as_described(case: Case[Any]) -> None:
    ask(case, TOKEN)
