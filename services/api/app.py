"""The Flask application. Whatever it needs from the world is handed to `create_app`."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from services.api import problems, publish
from services.api.batching import Batcher
from services.api.openapi import openapi
from services.api.problems import Problem, Rejection
from services.api.queue import Queue
from services.api.readiness import Readiness
from services.api.settings import Settings
from services.api.token import Token

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

    from services.pipeline.runtime import Runtime

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

_BY_STATUS = {
    HTTPStatus.NOT_FOUND: Problem(problems.NOT_FOUND, "Try POST /publish, or GET /openapi.json."),
    HTTPStatus.METHOD_NOT_ALLOWED: Problem(problems.METHOD_NOT_ALLOWED, "The Allow header names those that it takes."),
    HTTPStatus.REQUEST_TIMEOUT: Problem(problems.TOO_LATE, "Send the whole request at once."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Problem(problems.TOO_LARGE, "The request's body is too long to read."),
}


def create_app(
    settings: Settings,
    sqs: SQSClient,
    ssm: SSMClient,
    runtime: Runtime,
    draining: Callable[[], bool],
) -> Flask:
    """The application. While `draining` is true `/health` answers 503, and everything else goes on."""
    app = Flask("services.api", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # One more, since Werkzeug ends a body in chunks silently where it reaches this.
    app.config["MAX_CONTENT_LENGTH"] = settings.body_max_bytes + 1
    token = Token(ssm, settings.token_parameter, settings.token_cache_seconds, runtime)
    queue = Queue(sqs, settings.queue_url, runtime)
    batcher = Batcher(
        queue.send,
        max_bytes=settings.message_max_bytes,
        linger_seconds=settings.batch_linger_seconds,
        runtime=runtime,
    )
    readiness = Readiness({"queue": queue.check, "token": token.check}, runtime)
    document = json.dumps(openapi())

    @app.post("/publish")
    def publish_email() -> Response:
        key = publish.idempotency_key(request.headers.get("Idempotency-Key"))
        email = publish.read(_body(settings.body_max_bytes), token.accepts)
        message = publish.message(email, key, received_at=runtime.time(), draw=runtime.random)
        g.message_id = message.id
        problem = batcher.put(publish.encode(message, settings.message_max_bytes))
        if problem is not None:
            raise Rejection(problem)
        answer = publish.PublishResponse(message_id=message.id)
        return Response(answer.model_dump_json(), content_type="application/json")

    @app.get("/health")
    def health() -> Response:
        if draining():
            return Response("draining\n", HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain")
        return Response("ok\n", content_type="text/plain")

    @app.get("/ready")
    def ready() -> tuple[Response, HTTPStatus]:
        states = readiness.states()
        good = all(state == "ok" for state in states.values())
        body = jsonify(status="ready" if good else "not ready", checks=states)
        return body, HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE

    @app.get("/openapi.json")
    def openapi_document() -> Response:
        return Response(document, content_type="application/json")

    _answer_problems(app)
    _trace_requests(app, runtime)
    return app


def _body(max_bytes: int) -> bytes:
    """The request's body. Raises Rejection if it is too long, or broke off before its Content-Length."""
    declared = request.content_length or 0
    body = request.get_data(cache=False) if declared <= max_bytes else b""
    if max(declared, len(body)) > max_bytes:
        raise Rejection(_BY_STATUS[HTTPStatus.REQUEST_ENTITY_TOO_LARGE])
    if len(body) < declared:
        raise Rejection(problems.MALFORMED_REQUEST)
    return body


def _answer_problems(app: Flask) -> None:
    def answer(problem: Problem, headers: dict[str, str]) -> Response:
        document = problem.document(g.request_id).model_dump_json(exclude_defaults=True)
        return Response(document, problem.kind.status, headers, content_type=problems.CONTENT_TYPE)

    @app.errorhandler(Rejection)
    def rejected(rejection: Rejection) -> Response:
        return answer(rejection.problem, rejection.problem.headers())

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        problem = _BY_STATUS.get(HTTPStatus(error.code or HTTPStatus.BAD_REQUEST))
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        return answer(problem or problems.MALFORMED_REQUEST, headers)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        log.exception("request failed", exc_info=error, extra={"request_id": g.request_id})
        return answer(Problem(problems.INTERNAL, "Give the request_id to whoever runs this service."), {})


def _trace_requests(app: Flask, runtime: Runtime) -> None:
    """A request id in every answer and one log line for every request."""

    @app.before_request
    def begin() -> None:
        g.started = runtime.monotonic()
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else f"{runtime.random.getrandbits(128):032x}"

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        log.log(
            logging.DEBUG if request.path == "/health" else logging.INFO,
            "request",
            extra={
                "request_id": g.request_id,
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "milliseconds": round((runtime.monotonic() - g.started) * 1000, 1),
                "message_id": g.get("message_id"),
            },
        )
        return response
