"""The port by which the edge is asked: `GET /ready`, `/listeners`, `/answered`, and what tasks ask about themselves."""

from __future__ import annotations

import json
import time

from sim.cloud.edge.server import Edge, listeners
from sim.cloud.http import Request, Response, ServerConnection
from sim.cluster import task_endpoint

_JSON = [(b"Content-Type", b"application/json")]


class ControlConnection(ServerConnection):
    """A connection to the control port."""

    def __init__(self, edge: Edge) -> None:
        super().__init__()
        self._edge = edge

    def handle(self, request: Request) -> None:
        match request.target.partition(b"?")[0]:
            case b"/ready":
                ready = self._edge.desired is not None
                self._send(200 if ready else 503, {"ready": ready})
            case b"/listeners":
                self._send(200, {"listeners": listeners(self._edge.balancers.values())})
            case b"/answered":
                self._send(200, {each.desired.name: each.answered for each in self._edge.balancers.values()})
            case path:
                self._answer_a_task(path.decode("latin-1"))

    def _answer_a_task(self, path: str) -> None:
        desired = self._edge.desired
        answer = task_endpoint.answer(desired, path, time.time()) if desired is not None else None
        if answer is None:
            self._send(404, {"error": f"the edge has no {path!r}"})
        else:
            self._send(answer.status, answer.document)

    def _send(self, status: int, document: object) -> None:
        self.send(Response(status, _JSON, json.dumps(document).encode()))
