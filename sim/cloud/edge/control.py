"""The port by which the edge is asked: `GET /ready`, `/listeners`, `/answered`, and what tasks ask about themselves."""

from __future__ import annotations

import asyncio
import json

from sim.cloud.edge.server import Edge, answered, listeners
from sim.cloud.http import Request, Response, ServerConnection, UpstreamLost, ask_once
from sim.cluster import role_keys, task_endpoint
from sim.cluster.desired import DesiredTask

_JSON = [(b"Content-Type", b"application/json")]
_PATIENCE_SECONDS = 5.0


class ControlConnection(ServerConnection):
    """A connection to the control port. `control_plane` is the address at which the keys of tasks are asked for."""

    def __init__(self, edge: Edge, control_plane: tuple[str, int]) -> None:
        super().__init__()
        self._edge = edge
        self._control_plane = control_plane
        self._task: asyncio.Task[None] | None = None

    def handle(self, request: Request) -> None:
        match request.target.partition(b"?")[0]:
            case b"/ready":
                ready = self._edge.desired is not None
                self._send(200 if ready else 503, {"ready": ready})
            case b"/listeners":
                self._send(200, {"listeners": listeners(self._edge.all())})
            case b"/answered":
                self._send(200, answered(self._edge))
            case path:
                self._answer_a_task(path.decode("latin-1"))

    def _answer_a_task(self, path: str) -> None:
        desired = self._edge.desired
        task = task_endpoint.task_of(desired, path) if desired is not None else None
        if task is not None:
            self._task = asyncio.get_running_loop().create_task(self._hand_over_keys(task))
            return
        answer = task_endpoint.answer(desired, path) if desired is not None else None
        if answer is None:
            self._send(404, {"error": f"the edge has no {path!r}"})
        else:
            self._send(answer.status, answer.document)

    async def _hand_over_keys(self, task: DesiredTask) -> None:
        """The control plane's answer as it is. SDKs ask again if there is none."""
        host = "{}:{}".format(*self._control_plane).encode()
        request = Request(b"GET", role_keys.of_task(task, "task").encode(), [(b"Host", host)], b"")
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                answer = await ask_once(self._control_plane, request)
        except (OSError, UpstreamLost) as error:
            self._send(500, {"code": "InternalServerError", "message": f"the control plane gave no keys: {error!r}"})
        else:
            self.send(Response(answer.status, _JSON, answer.body))

    def _send(self, status: int, document: object) -> None:
        self.send(Response(status, _JSON, json.dumps(document).encode()))
