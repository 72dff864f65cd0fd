"""The agent with tasks that are processes: real ones, and a control plane that only records."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from sim.cloud.registry.source_image import Source
from sim.cluster import role_keys
from sim.cluster.desired import DesiredTask
from sim.host.cleanup import Cleanup
from sim.host.identity import start_of
from sim.host.waiting import until
from tests.unit.agent.control_plane import PLACE, FakeControlPlane, an_instance
from tests.unit.agent.running import SECONDS, RunningAgent, identity

SERVER = """
import http.server, os, signal, sys
print("hello from", os.getpid(), flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = (os.environ.get(each) for each in ("WHO", "AWS_ENDPOINT_URL", "TOKEN"))
        body = " ".join([str(os.getpid()), *map(str, known)]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
"""Says on its port who it is; ends with 7 at SIGTERM."""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(1000)"
PORTS = {"portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]}


class Running(RunningAgent):
    """An agent, and what it runs in place of images."""

    def __init__(self, control_plane: FakeControlPlane, url: str, cleanup: Cleanup) -> None:
        self.groups = cleanup.directory / "groups"
        self.groups.mkdir()
        cleanup.owns("groups", self.groups)
        programs = cleanup.directory / "programs.json"
        path = {"PATH": os.environ["PATH"]}
        commands = {"server": ["-c", SERVER], "deaf": ["-c", DEAF], "python": ["-c"]}
        named = {
            name: {
                "directory": str(cleanup.directory),
                "command": [sys.executable, *command],
                "environment": {**path, "PORT": "{port:8080}"} if name == "server" else path,
            }
            for name, command in commands.items()
        }
        named["sourced"] = {**named["python"], "directory": "{source}", "command": [sys.executable, "says.py"]}
        programs.write_text(json.dumps(named))
        runtime = {"kind": "processes", "programs": str(programs), "groups": str(self.groups)}
        super().__init__(control_plane, url, cleanup, runtime)

    def says(self, instance: str = "i-1") -> list[str]:
        """What the server at the instance's port 8080 says of itself."""
        host, _, port = self.control_plane.address(instance, "tcp:8080").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        return answer.partition(b"\r\n\r\n")[2].decode().split()

    def answers(self) -> bool:
        """Whether the server answers yet."""
        try:
            return bool(self.says())
        except OSError:
            return False


@pytest.fixture(scope="module")
def agent() -> Iterator[Running]:
    control_plane = FakeControlPlane()
    with Cleanup() as cleanup, control_plane.serving() as url:
        running = Running(control_plane, url, cleanup)
        yield running
        running.process.kill()


@pytest.fixture(autouse=True)
def _no_tasks(agent: Running) -> Iterator[None]:
    """A test begins without tasks. Those of an instance that is gone are killed and removed."""
    agent.control_plane.forget()
    yield
    agent.control_plane.wants()
    tasks = agent.state / "tasks"
    agent.until(lambda: not tasks.exists() or not any(tasks.iterdir()), "the tasks to be removed")


def stopped(task: DesiredTask) -> DesiredTask:
    """The same task, which is to stop."""
    return replace(task, desired_status="STOPPED")


def test_an_instance_registers_and_says_that_it_is_connected(agent: Running) -> None:
    agent.control_plane.wants(an_instance(container_instance=""))
    agent.until(lambda: agent.control_plane.of("RegisterContainerInstance"), "a registration")
    assert agent.control_plane.of("RegisterContainerInstance")[0]["cluster"] == "mail"
    agent.control_plane.wants(an_instance())
    route = f"/_sim/{PLACE.account}/{PLACE.region}/ec2/i-1/connected"
    assert agent.until(lambda: agent.control_plane.of(route), "the agent to be connected") == [{"connected": True}]


def test_a_task_listens_behind_its_host_port_and_is_set_by_its_definition(agent: Running) -> None:
    task = agent.task({"image": "1.dkr.ecr/server@sha256:1", "environment": [{"name": "WHO", "value": "own"}], **PORTS})
    agent.runs(task)
    agent.until(agent.answers, "an answer")
    _, who, endpoint, _ = agent.says()
    assert (who, endpoint) == ("own", f"http://gateway/{identity(task)}")
    binding = {"bindIP": "0.0.0.0", "containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}
    assert agent.control_plane.last(task)["containers"][0]["networkBindings"] == [binding]


def test_the_same_host_port_on_two_instances_is_two_processes(agent: Running) -> None:
    one, two = (agent.task({"image": "server", **PORTS}, instance=n) for n in (1, 2))
    agent.control_plane.wants(an_instance(1), an_instance(2), tasks=(one, two))
    for task in (one, two):
        agent.until(partial(agent.control_plane.statuses, task), "the task to run")
    assert agent.control_plane.address("i-1", "tcp:8080") != agent.control_plane.address("i-2", "tcp:8080")


def test_a_host_port_that_is_taken_is_refused_with_dockers_words(agent: Running) -> None:
    one, two = (agent.task({"image": "server", **PORTS}) for n in (1, 2))
    agent.runs(one)
    agent.control_plane.wants(an_instance(), tasks=(one, two))
    report = agent.ended(two)
    assert report["reason"].startswith("CannotStartContainerError: Error response from daemon")
    assert report["reason"].endswith("Bind for 0.0.0.0:8080 failed: port is already allocated")
    assert agent.control_plane.statuses(two) == ["STOPPED"]


def test_an_image_that_nothing_runs_for_cannot_be_pulled(agent: Running) -> None:
    task = agent.task({"image": "nobody/knows:1"})
    agent.control_plane.wants(an_instance(), tasks=(task,))
    assert agent.ended(task)["reason"].startswith("CannotPullContainerError: ")


def test_a_version_that_is_registered_in_ecr_runs_from_its_source(agent: Running, tmp_path: Path) -> None:
    uri = "000000000000.dkr.ecr.eu-central-1.amazonaws.com/emails/app"
    repository = {"repositoryName": "emails/app", "repositoryUri": uri}
    manifest = Source("sourced", "0.1.0", "abc", tmp_path).manifest()
    (tmp_path / "says.py").write_text("import time; print('from the source', flush=True); time.sleep(1000)")
    agent.control_plane.answers["DescribeRepositories"] = {"repositories": [repository]}
    agent.control_plane.answers["BatchGetImage"] = {"images": [{"imageManifest": manifest}]}
    task = agent.task({"image": f"{uri}@sha256:{'0' * 64}", "stopTimeout": 2})
    agent.runs(task)
    log = agent.state / "tasks" / identity(task) / "c0" / "log"
    agent.until(lambda: "from the source" in log.read_text(), "the source's own program to run")
    [asked] = agent.control_plane.of("BatchGetImage")
    assert (asked["repositoryName"], asked["imageIds"]) == ("emails/app", [{"imageDigest": f"sha256:{'0' * 64}"}])


def test_a_digest_that_ecr_does_not_have_cannot_be_pulled(agent: Running) -> None:
    repository = {"repositoryName": "server", "repositoryUri": "127.0.0.1:5000/server"}
    agent.control_plane.answers["DescribeRepositories"] = {"repositories": [repository]}
    agent.control_plane.answers["BatchGetImage"] = {"images": []}
    task = agent.task({"image": "127.0.0.1:5000/server:9"})
    agent.control_plane.wants(an_instance(), tasks=(task,))
    assert agent.ended(task)["reason"].endswith("manifest unknown: Requested image not found")


def test_a_task_ends_with_its_essential_container(agent: Running) -> None:
    ending = {"image": "python", "command": ["import sys; sys.exit(3)"]}
    task = agent.task(ending, {"image": "python", "command": ["import time; time.sleep(1000)"]})
    agent.control_plane.wants(an_instance(), tasks=(task,))
    report = agent.ended(task)
    assert agent.control_plane.statuses(task)[0] == "RUNNING"
    assert report["reason"] == "Essential container in task exited"
    assert 0 <= time.time() - report["pullStartedAt"] < SECONDS
    assert [each["exitCode"] for each in report["containers"]] == [3, 143]


def test_a_stop_is_sigterm_and_the_exit_code_is_the_programs(agent: Running) -> None:
    task = agent.task({"image": "server", **PORTS})
    agent.runs(task)
    agent.until(agent.answers, "an answer")
    assert agent.stops(task)["containers"][0]["exitCode"] == 7
    agent.until(lambda: not agent.control_plane.address("i-1", "tcp:8080"), "the port to be free")


def test_what_ignores_sigterm_is_killed_after_the_stop_timeout(agent: Running) -> None:
    task = agent.task({"image": "deaf", "stopTimeout": 2})
    agent.runs(task)
    log = agent.state / "tasks" / identity(task) / "c0" / "log"
    agent.until(lambda: "deaf" in log.read_text(), "the program to ignore SIGTERM")
    began = time.monotonic()
    assert agent.stops(task)["containers"][0]["exitCode"] == 137
    assert 2 <= time.monotonic() - began < 4


def test_an_agent_that_is_killed_finds_its_tasks_when_it_is_started_again(agent: Running) -> None:
    task = agent.task({"image": "server", **PORTS})
    agent.runs(task)
    agent.until(agent.answers, "an answer")
    pid = agent.says()[0]
    agent.process.kill()
    assert agent.says()[0] == pid
    agent.control_plane.reports.clear()
    agent.process.start()
    agent.until(lambda: agent.control_plane.statuses(task), "the task to be reported again")
    assert agent.says()[0] == pid
    assert agent.stops(task)["containers"][0]["exitCode"] == 7


def test_a_task_that_ends_while_no_agent_runs_is_reported_with_its_exit_code(agent: Running) -> None:
    task = agent.task({"image": "server", **PORTS})
    agent.runs(task)
    agent.until(agent.answers, "an answer")
    pid = int(agent.says()[0])
    agent.process.kill()
    os.kill(pid, signal.SIGTERM)
    agent.until(lambda: not psutil.pid_exists(pid), "the task to end")
    agent.process.start()
    assert agent.ended(task)["containers"][0]["exitCode"] == 7


def test_the_tasks_of_a_lost_instance_fall_silent_and_nothing_is_reported(agent: Running) -> None:
    task = agent.task({"image": "server", **PORTS})
    agent.runs(task)
    agent.until(agent.answers, "an answer")
    pid = int(agent.says()[0])
    began = time.monotonic()
    agent.control_plane.wants(an_instance(lost=True), tasks=(task,))
    agent.until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "the task to fall silent")
    assert time.monotonic() - began < 0.5
    reported = len(agent.control_plane.reports)
    agent.control_plane.wants(an_instance(lost=True), tasks=(stopped(task),))
    agent.control_plane.wants(an_instance(), tasks=(task,))
    agent.until(agent.answers, "an answer after the instance was found again")
    assert "STOPPED" not in [each[1].get("status") for each in agent.control_plane.reports[reported:]]


def test_the_tasks_of_an_instance_that_is_gone_are_killed(agent: Running) -> None:
    task = agent.task({"image": "server", **PORTS})
    agent.runs(task)
    agent.until(agent.answers, "an answer")
    pid = int(agent.says()[0])
    agent.control_plane.wants()
    agent.until(lambda: not psutil.pid_exists(pid), "the task to be killed")
    agent.until(lambda: not any((agent.state / "tasks").iterdir()), "its folder to be removed")
    assert agent.control_plane.statuses(task) == ["RUNNING"]


def test_a_health_check_runs_in_the_environment_of_its_container(agent: Running, tmp_path: Path) -> None:
    healthy = tmp_path / "healthy"
    check = {"command": ["CMD-SHELL", f'test "$WHO" = own && test -e {healthy}'], "interval": 1, "retries": 1}
    who = [{"name": "WHO", "value": "own"}]
    task = agent.task({"image": "deaf", "stopTimeout": 2, "healthCheck": check, "environment": who})
    healthy.touch()
    agent.runs(task)
    agent.until(lambda: "HEALTHY" in agent.healths(task), "the task to be healthy")
    healthy.unlink()
    agent.until(lambda: "UNHEALTHY" in agent.healths(task), "the task to be unhealthy")


def test_secrets_are_fetched_and_are_in_no_file_of_the_agent(agent: Running) -> None:
    agent.control_plane.answers["GetParameters"] = {"Parameters": [{"Name": "/token", "Value": "s3cret-t0ken"}]}
    task = agent.task({"image": "server", "secrets": [{"name": "TOKEN", "valueFrom": "/token"}], **PORTS})
    agent.runs(task)
    agent.until(agent.answers, "an answer")
    assert agent.says()[3] == "s3cret-t0ken"
    files = [each for each in agent.state.parent.rglob("*") if each.is_file()]
    assert files
    assert not [each for each in files if b"s3cret-t0ken" in each.read_bytes()]


def test_the_agent_calls_with_the_keys_of_the_execution_role_and_of_the_instance(agent: Running) -> None:
    agent.control_plane.answers["GetParameters"] = {"Parameters": [{"Name": "/token", "Value": "s3cret-t0ken"}]}
    options = {"awslogs-group": "/ecs/app", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "app"}
    log = {"logDriver": "awslogs", "options": options}
    secret = {"name": "TOKEN", "valueFrom": "/token"}
    task = agent.task(
        {"image": "python", "command": ["print(1)"], "secrets": [secret], "logConfiguration": log}, instance=7
    )
    task = replace(task, definition={**task.definition, "executionRoleArn": "arn:aws:iam::000000000000:role/execution"})
    agent.control_plane.keys = {
        role_keys.of_task(task, "execution"): "LSIAOFTHETASK",
        role_keys.of_instance("i-7", PLACE): "LSIAOFTHEINSTANCE",
    }
    agent.control_plane.wants(an_instance(7), tasks=(task,))
    agent.ended(task)
    agent.until(lambda: agent.control_plane.of("PutLogEvents"), "its log")
    assert agent.control_plane.signers >= {
        ("GetParameters", "LSIAOFTHETASK"),
        ("CreateLogStream", "LSIAOFTHETASK"),
        ("PutLogEvents", "LSIAOFTHETASK"),
        ("SubmitTaskStateChange", "LSIAOFTHEINSTANCE"),
    }


def test_a_secret_that_is_not_there_keeps_the_task_from_starting(agent: Running) -> None:
    agent.control_plane.answers["GetParameters"] = "AccessDeniedException"
    task = agent.task({"image": "server", "secrets": [{"name": "TOKEN", "valueFrom": "/token"}]})
    agent.control_plane.wants(an_instance(), tasks=(task,))
    reason = agent.ended(task)["reason"]
    assert reason.startswith("ResourceInitializationError: unable to pull secrets or registry auth")
    assert "/token" in reason


def test_what_a_container_writes_is_in_its_log_stream(agent: Running) -> None:
    options = {"awslogs-group": "/ecs/app", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "app"}
    task = agent.task(
        {"image": "deaf", "stopTimeout": 2, "logConfiguration": {"logDriver": "awslogs", "options": options}}
    )
    agent.runs(task)
    agent.until(lambda: agent.control_plane.of("PutLogEvents"), "log events")
    sent = agent.control_plane.of("PutLogEvents")[0]
    assert (sent["logGroupName"], sent["logStreamName"]) == ("/ecs/app", f"app/c0/{identity(task)}")
    assert [each["message"] for each in sent["logEvents"]] == ["deaf"]


def test_a_log_group_that_is_not_there_keeps_the_container_from_starting(agent: Running) -> None:
    agent.control_plane.answers["CreateLogStream"] = "ResourceNotFoundException"
    options = {"awslogs-group": "/ecs/none", "awslogs-stream-prefix": "app"}
    task = agent.task({"image": "deaf", "logConfiguration": {"logDriver": "awslogs", "options": options}})
    agent.control_plane.wants(an_instance(), tasks=(task,))
    assert "failed to initialize logging driver" in agent.ended(task)["reason"]


def test_no_process_outlives_the_run() -> None:
    control_plane = FakeControlPlane()
    with Cleanup() as cleanup, control_plane.serving() as url:
        agent = Running(control_plane, url, cleanup)
        agent.runs(agent.task({"image": "deaf"}))
        group = int(next(agent.groups.iterdir()).name)
        agent.process.kill()
        assert start_of(group) is not None
    until(lambda: start_of(group) is None, "the task's processes to be killed", seconds=SECONDS)
