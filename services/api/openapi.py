"""The OpenAPI 3.1 document, generated from the models that judge the requests and from the kinds of problem."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.api import problems
from services.api.problems import Kind, ProblemDocument
from services.api.publish import IDEMPOTENCY_KEY, PublishRequest, PublishResponse
from services.pipeline.version import version

_REFERENCE = "#/components/schemas/{model}"


class ReadyDocument(BaseModel):
    """What the API depends on."""

    status: str
    checks: dict[str, str]


def openapi() -> dict[str, Any]:
    """The OpenAPI document, as JSON types."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in (PublishRequest, PublishResponse, ProblemDocument, ReadyDocument)],
        ref_template=_REFERENCE,
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "E-mail API", "version": version("api"), "license": {"name": "Apache-2.0"}},
        "paths": {
            "/publish": {"post": _publish()},
            "/health": {"get": _health()},
            "/ready": {"get": _ready()},
            "/openapi.json": {"get": _document()},
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _publish() -> dict[str, Any]:
    return {
        "operationId": "publish",
        "summary": "Publish an e-mail",
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "The same key with the same e-mail ends in the same stored object.",
                "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY},
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _schema("PublishRequest")}}},
        "responses": {
            "200": _json("The e-mail is in the queue.", "PublishResponse"),
            **_problem(problems.MALFORMED, problems.NOT_JSON, problems.INVALID_EMAIL, problems.INVALID_IDEMPOTENCY_KEY),
            **_problem(problems.WRONG_TOKEN),
            **_problem(problems.TOO_LATE),
            **_problem(problems.TOO_LARGE),
            **_problem(problems.INTERNAL),
            **_problem(problems.UNAVAILABLE),
            **_problem(problems.UNKNOWN),
        },
    }


def _health() -> dict[str, Any]:
    text = {"content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        "operationId": "health",
        "summary": "Whether this instance should get requests; asks nobody else",
        "responses": {"200": {"description": "It should.", **text}, "503": {"description": "It is ending.", **text}},
    }


def _ready() -> dict[str, Any]:
    return {
        "operationId": "ready",
        "summary": "Whether what the API depends on can be used",
        "responses": {
            "200": _json("All of it.", "ReadyDocument"),
            "503": _json("Not all of it.", "ReadyDocument"),
        },
    }


def _document() -> dict[str, Any]:
    return {
        "operationId": "openapi",
        "summary": "This document",
        "responses": {
            "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    }


def _schema(model: str) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model)}


def _json(description: str, model: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _schema(model)}}}


def _problem(*kinds: Kind) -> dict[str, Any]:
    """The response for kinds of one status."""
    response: dict[str, Any] = {
        "description": " Or: ".join(f"`{kind.type}`: {kind.title}" for kind in kinds),
        "content": {problems.CONTENT_TYPE: {"schema": _schema("ProblemDocument")}},
    }
    if any(kind.retry for kind in kinds):
        response["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
    return {str(kinds[0].status.value): response}
