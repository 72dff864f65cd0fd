"""The server of the page: its files, the picture as server-sent events, details of a task, and acts.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Final

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from release.errors import ReleaseError
from services.pipeline.aws import AWS_ERRORS
from sim.errors import SimError
from sim.watch.board import Board
from sim.watch.detail import TaskDetail
from sim.watch.guard import Guard
from sim.watch.wanted import Wanted, read

_PAGE: Final = Path(__file__).with_name("page")
_QUIET_SECONDS: Final = 5.0
"""After so many without a change comes an empty event. It shows that the server is there, and whether the page is."""
_MOST_BYTES: Final = 10_000
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
TOKEN: Final = "X-Sim-Token"  # noqa: S105 - the header's name


class _Quiet(WSGIRequestHandler):
    """Logs no request: the address of the events has the token in it."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Does nothing."""


def create_app(
    guard: Guard, board: Board, detail: Callable[[str], TaskDetail], perform: Callable[[Wanted], str]
) -> Flask:
    """The page's application. `detail` finds a task by its id, `perform` does an act and returns what was done."""
    app = Flask(__name__, static_folder=str(_PAGE), static_url_path="/page")
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES

    @app.before_request
    def guarded() -> tuple[Response, int] | None:
        token = request.headers.get(TOKEN) or request.args.get("token", "")
        public = request.endpoint in {"static", "index"}
        headers = (request.headers.get("Host", ""), request.headers.get("Origin", ""))
        why = guard.refusal(request.method, *headers, token, public=public)
        return (jsonify(error=why), HTTPStatus.FORBIDDEN) if why else None

    @app.after_request
    def with_headers(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    @app.errorhandler(Exception)
    def failed(error: Exception) -> tuple[Response, int]:
        if isinstance(error, HTTPException):
            return jsonify(error=error.description), error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        if isinstance(error, (SimError, ReleaseError, *AWS_ERRORS)):
            return jsonify(error=str(error)), HTTPStatus.CONFLICT
        raise error

    @app.get("/")
    def index() -> Response:
        return app.send_static_file("index.html")

    @app.get("/events")
    def events() -> Response:
        return Response(_events(board), mimetype="text/event-stream")

    @app.get("/tasks/<name>")
    def task(name: str) -> Response:
        return jsonify(asdict(detail(name)))

    @app.post("/acts")
    def acts() -> Response:
        return jsonify(done=perform(read(request.get_data())))

    return app


def _events(board: Board) -> Iterator[str]:
    for patch in board.patches(_QUIET_SECONDS):
        yield f"data: {json.dumps(patch)}\n\n"


def serve(port: int, app: Callable[[int], Flask], socket: int | None = None) -> BaseWSGIServer:
    """A server on loopback, with a thread for each connection. `app` gets its port: any that is free for the port 0.

    `socket` is the file descriptor of one that listens already.
    """
    server = make_server(
        "127.0.0.1", port, lambda _environ, _start: (), threaded=True, request_handler=_Quiet, fd=socket
    )
    server.app = app(server.port)
    return server
