"""The edge as a process: it follows the control plane, shows its listeners, reports health, and ends at SIGTERM."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sim
from bench.control_plane import DRAINED, ControlPlane
from sim.cluster import role_keys, task_endpoint
from sim.cluster.desired import Desired
from sim.host import loopback
from sim.host.cleanup import Cleanup
from sim.host.process import Process, free_port
from sim.host.waiting import until
from tests.unit.agent.control_plane import a_task
from tests.unit.cloud.edge.running import PLACE, answering, balancer, instance, instances

SECONDS = 20.0
ROOT = Path(sim.__file__).parents[1]


@pytest.fixture
def control_plane() -> Iterator[ControlPlane]:
    made = ControlPlane(Desired(1))
    made.start()
    yield made
    made.stop()


def listeners(control: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = loopback.request("GET", f"http://127.0.0.1:{control}/listeners", seconds=5).json()[
        "listeners"
    ]
    return found


def test_it_follows_the_desired_state_hands_keys_over_and_has_the_same_port_after_a_restart(
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
        answered = f"http://127.0.0.1:{control}/answered"
        wanted = {"web": {"200": 1}}
        until(lambda: loopback.json_of(answered, seconds=5) == wanted, "the request to be counted", seconds=SECONDS)

        task = a_task("t1", definition={"taskRoleArn": "arn:aws:iam::000000000000:role/t", "containerDefinitions": []})
        control_plane.keys[role_keys.of_task(task, "task")] = '{"AccessKeyId": "LSIA1"}'
        control_plane.set(Desired(3, running, (task,), (balancer("i-1"),), ports))
        keys = f"http://127.0.0.1:{control}{task_endpoint.credentials_path(task.arn)}"
        until(lambda: loopback.answers(keys, seconds=5), "the task's keys", seconds=SECONDS)
        assert loopback.request("GET", keys, seconds=5).json() == {"AccessKeyId": "LSIA1"}

        control_plane.set(Desired(4, running, (), (balancer(),), ports))
        until(lambda: control_plane.reported.get(health) == DRAINED, "its drain", seconds=SECONDS)
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
