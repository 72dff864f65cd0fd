"""A control plane that hands out one desired state after the other, and keeps what is reported to it."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from sim.cloud.desired import WAIT_SECONDS
from sim.cluster.desired import Desired, to_json

DRAINED: Final = "drained"


class ControlPlane:
    """Listens on a port of this machine. `reported` are the states of instances, by the path of their report.

    `keys` are the answers at paths of keys.
    """

    def __init__(self, state: Desired) -> None:
        self.reported: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self._state = state
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port

    def start(self) -> None:
        """Serves in threads, until `stop`."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Ends."""
        self._server.shutdown()
        self._server.server_close()

    def set(self, state: Desired) -> None:
        """Another state is desired."""
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _answer(self, path: str) -> str:
        """The state, once it is another than the one that the path names."""
        if path in self.keys:
            return self.keys[path]
        after = path.partition("after=")[2]
        with self._changed:
            self._changed.wait_for(lambda: str(self._state.revision) != after, WAIT_SECONDS)
            return to_json(self._state)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        control_plane = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(control_plane._answer(self.path))

            def do_PUT(self) -> None:
                report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                control_plane.reported[self.path] = report["State"]
                self._send("{}")

            def do_DELETE(self) -> None:
                control_plane.reported[self.path] = DRAINED
                self._send("{}")

            def log_message(self, *_: object) -> None:
                """Writes nothing."""

            def _send(self, body: str) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # whoever polled may have ended
                    self.wfile.write(body.encode())

        return Handler
