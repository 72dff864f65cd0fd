"""The edge as a process: it follows the control plane, shows its listeners, reports health, and ends at SIGTERM."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.cluster.desired import Desired, to_json
from sim.host import loopback
from sim.host.cleanup import Cleanup
from sim.host.process import Process, free_port
from sim.host.waiting import until
from tests.unit.cloud.edge.running import PLACE, answering, balancer, instance, instances

SECONDS = 20.0
ROOT = Path(sim.__file__).parents[1]


class ControlPlane:
    """Answers the long poll with `state`, and keeps what is reported."""

    def __init__(self) -> None:
        self.state = Desired(1)
        self.reported: dict[str, str] = {}
        self.changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                after = self.path.rpartition("after=")[2] if "after=" in self.path else ""
                with outer.changed:
                    outer.changed.wait_for(lambda: str(outer.state.revision) != after, SECONDS)
                    self.answer(to_json(outer.state))

            def do_PUT(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.reported[self.path] = body["State"]
                self.answer("{}")

            def do_DELETE(self) -> None:
                outer.reported[self.path] = "drained"
                self.answer("{}")

            def answer(self, body: str) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def set(self, state: Desired) -> None:
        """Another state is desired."""
        with self.changed:
            self.state = state
            self.changed.notify_all()


@pytest.fixture
def control_plane() -> Iterator[ControlPlane]:
    made = ControlPlane()
    yield made
    made.server.shutdown()
    made.server.server_close()


def listeners(control: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = loopback.request("GET", f"http://127.0.0.1:{control}/listeners", seconds=5).json()[
        "listeners"
    ]
    return found


def test_it_follows_the_desired_state_and_has_the_same_port_after_a_restart(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    control = free_port()
    command = [sys.executable, "-m", "sim.cloud.edge", "--cloud", f"127.0.0.1:{control_plane.port}"]
    command += ["--control", str(control), "--directory", str(tmp_path)]
    with Cleanup() as cleanup, instances(answering()) as backs:
        edge = Process("edge", command, {"PYTHONPATH": str(ROOT)}, cleanup)
        edge.start()
        until(lambda: loopback.answers(f"http://127.0.0.1:{control}/ready", seconds=5), "the edge", seconds=SECONDS)
        assert listeners(control) == []
        running, ports = (instance("i-1"),), (backs[0].entry,)
        control_plane.set(Desired(2, running, (), (balancer("i-1"),), ports))
        health = f"/_sim/{PLACE.account}/{PLACE.region}/elb/web/instances/i-1/health"
        until(lambda: control_plane.reported.get(health) == "InService", "its health", seconds=SECONDS)
        shown = listeners(control)
        assert [(each["load_balancer"], each["protocol"], each["port"]) for each in shown] == [("web", "HTTP", 80)]
        url = f"http://{shown[0]['addresses'][0]}"
        assert loopback.request("GET", url, seconds=5).data == b"ok"

        control_plane.set(Desired(3, running, (), (balancer(),), ports))
        until(lambda: control_plane.reported.get(health) == "drained", "its drain", seconds=SECONDS)
        edge.terminate()
        assert edge.wait(SECONDS) == 0, edge.tail()
        edge.start()
        until(lambda: _is_503(url), "the same port", seconds=SECONDS)
        assert [each["addresses"] for each in listeners(control)] == [shown[0]["addresses"]]
        edge.terminate()
        assert edge.wait(SECONDS) == 0, edge.tail()


def _is_503(url: str) -> bool:
    try:
        return loopback.request("GET", url, seconds=5).status == 503
    except loopback.NoAnswer:
        return False


def test_the_control_plane_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    control, nobody = free_port(), free_port()
    command = [sys.executable, "-m", "sim.cloud.edge", "--cloud", f"127.0.0.1:{nobody}"]
    with Cleanup() as cleanup:
        edge = Process(
            "edge",
            [*command, "--control", str(control), "--directory", str(tmp_path)],
            {"PYTHONPATH": str(ROOT)},
            cleanup,
        )
        edge.start()
        until(lambda: "no desired state" in edge.tail(), "a warning", seconds=SECONDS, seen=edge.tail)
        assert loopback.request("GET", f"http://127.0.0.1:{control}/ready", seconds=5).status == 503
        edge.terminate()
        assert edge.wait(SECONDS) == 0, edge.tail()
