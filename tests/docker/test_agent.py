"""The agent with tasks that are containers: a real engine, and a control plane that only records."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException

from sim.cluster.desired import DesiredTask
from sim.host import command
from sim.host.cleanup import Cleanup
from sim.host.container import Network, new_run
from sim.host.engine_api import LABEL, EngineApi
from sim.images.build import Images
from tests.unit.agent.control_plane import FakeControlPlane, an_instance
from tests.unit.agent.running import RunningAgent, identity
from tests.unit.cloud.edge.running import balancer

pytestmark = [pytest.mark.usefixtures("docker"), pytest.mark.timeout(300)]

SERVER = """
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["HOSTNAME"].encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("", 8080), Handler).serve_forever()
"""
"""Says who it is on port 8080; ends with 7 at SIGTERM."""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(1000)"
WAIT = "import time; time.sleep(1000)"
CONNECT = "import socket; socket.create_connection(('localhost', 8080))"
GREEDY = "x = bytearray(256 * 1024 * 1024); print(len(x))"
LOOK = """
import json, os, resource, time
def writes(path):
    try:
        open(path, "w").close()
    except OSError:
        return False
    return True
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "root": writes("/x"), "tmp": writes("/tmp/x"), "tmp size": os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_bsize,
    "capabilities": int(status["CapBnd"], 16), "no new privileges": int(status["NoNewPrivs"]),
    "files": resource.getrlimit(resource.RLIMIT_NOFILE), "parent": os.getppid(),
    "who": os.environ["WHO"], "token": os.environ["TOKEN"], "endpoint": os.environ["AWS_ENDPOINT_URL"],
    "host": os.uname().nodename, "folder": os.getcwd(),
}), flush=True)
time.sleep(1000)
"""
"""Prints what it sees of how it runs."""
PORT = {"portMappings": [{"containerPort": 8080, "hostPort": 80, "protocol": "tcp"}]}
LOGS = {
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "/ecs/app",
            "awslogs-stream-prefix": "app",
            "mode": "non-blocking",
            "max-buffer-size": "4m",
        },
    }
}


class Running(RunningAgent):
    """An agent whose tasks are containers of one run, and a container in their network to ask them from."""

    def __init__(self, control_plane: FakeControlPlane, url: str, cleanup: Cleanup, image: str) -> None:
        self.run = new_run()
        self.image = image
        self.engine = EngineApi()
        cleanup.owns("label", f"{LABEL}={self.run}")
        network = Network.create(self.run, "cluster")
        self.probe = f"{self.run}-probe"
        request = {"Image": image, "Entrypoint": ["python", "-c"], "Cmd": [WAIT], "Labels": {LABEL: self.run}}
        self.engine.create(self.probe, {**request, "HostConfig": {"NetworkMode": network.name}})
        self.engine.start(self.probe)
        runtime = {"kind": "docker", "run": self.run, "network": network.name, "edge": self.probe}
        super().__init__(control_plane, url, cleanup, runtime)

    def container(self, code: str, **settings: Any) -> Mapping[str, Any]:
        """The definition of a container that runs Python code."""
        return {"image": self.image, "entryPoint": ["python", "-c"], "command": [code], "stopTimeout": 2, **settings}

    def names(self) -> list[str]:
        """The containers of tasks, running or not."""
        listing = ["docker", "ps", "--all", "--filter", f"label={LABEL}={self.run}", "--format", "{{.Names}}"]
        return [each for each in command.run(listing, remedy="").split() if each != self.probe]

    def inspected(self, name: str) -> dict[str, Any]:
        """What the engine says of a container."""
        return self.engine.inspect(name) or {}

    def asks(self, address: str) -> str:
        """What a server at HOST:PORT says to the container in its network; "" if it is silent."""
        code = f"import urllib.request; print(urllib.request.urlopen('http://{address}', timeout=2).read().decode())"
        try:
            return str(DockerClient().execute(self.probe, ["python", "-c", code])).strip()
        except DockerException:
            return ""

    def lines(self, container: str) -> list[str]:
        """What arrived of a container's log."""
        return [
            event["message"]
            for sent in self.control_plane.of("PutLogEvents")
            if sent["logStreamName"].startswith(f"app/{container}/")
            for event in sent["logEvents"]
        ]


@pytest.fixture(scope="module")
def agent(images: Images) -> Iterator[Running]:
    control_plane = FakeControlPlane()
    with Cleanup() as cleanup, control_plane.serving() as url:
        running = Running(control_plane, url, cleanup, images.services["api"])
        yield running
        running.process.kill()


@pytest.fixture(autouse=True)
def _nothing_is_left(agent: Running) -> Iterator[None]:
    """A test begins without tasks. Those of an instance that is gone are killed and removed."""
    agent.control_plane.forget()
    agent.control_plane.answers["GetParameters"] = {"Parameters": [{"Name": "/token", "Value": "s3cret"}]}
    yield
    agent.control_plane.wants()
    agent.until(lambda: not agent.names(), "the containers to be removed")


def test_a_container_is_set_as_its_definition_says(agent: Running) -> None:
    defined = agent.container(
        LOOK,
        name="look",
        user="10001:10001",
        readonlyRootFilesystem=True,
        workingDirectory="/usr",
        hostname="a-host",
        cpu=128,
        memory=64,
        memoryReservation=32,
        ulimits=[{"name": "nofile", "softLimit": 1234, "hardLimit": 2345}],
        environment=[{"name": "WHO", "value": "own"}],
        secrets=[{"name": "TOKEN", "valueFrom": "/token"}],
        dockerSecurityOptions=["no-new-privileges"],
        linuxParameters={
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
            "initProcessEnabled": True,
            "tmpfs": [{"containerPath": "/tmp", "size": 1, "mountOptions": ["noexec"]}],
        },
        **LOGS,
    )
    task = agent.task(defined)
    agent.runs(task)
    agent.until(lambda: agent.lines("look"), "the container's line")
    seen = json.loads(agent.lines("look")[0])
    assert seen == {
        "user": [10001, 10001],
        "root": False,
        "tmp": True,
        "tmp size": 1024 * 1024,
        "capabilities": 1 << 10,
        "no new privileges": 1,
        "files": [1234, 2345],
        "parent": 1,
        "who": "own",
        "token": "s3cret",
        "endpoint": f"http://gateway/{identity(task)}",
        "host": "a-host",
        "folder": "/usr",
    }
    [name] = agent.names()
    limits = agent.inspected(name)["HostConfig"]
    mebibyte = 1024 * 1024
    assert (limits["CpuShares"], limits["Memory"], limits["MemoryReservation"]) == (128, 64 * mebibyte, 32 * mebibyte)
    assert name.startswith("ecs-app-3-look-")
    labels = agent.inspected(name)["Config"]["Labels"]
    assert labels["com.amazonaws.ecs.task-definition-family"] == "app"
    assert "Health" not in agent.inspected(name)["State"], "the image's health check counts"


def test_limits_that_the_engine_may_not_give_keep_no_container_from_running(agent: Running) -> None:
    look = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE), flush=True)\n" + WAIT
    limit = {"name": "nofile", "softLimit": 65536, "hardLimit": 65536}
    agent.runs(agent.task(agent.container(look, name="looks", ulimits=[limit], **LOGS)))
    [line] = agent.until(lambda: agent.lines("looks"), "its limits")
    warned = "has the engine's ulimits" in agent.process.tail(60)
    assert (line == "65536 65536") != warned


def test_a_host_port_is_the_containers_own_address_and_nothing_is_published(agent: Running) -> None:
    task = agent.task(agent.container(SERVER, hostname="me", **PORT))
    agent.runs(task)
    address = agent.control_plane.address("i-1", "tcp:80")
    assert address.endswith(":8080")
    agent.until(lambda: agent.asks(address) == "me", "an answer")
    assert not agent.inspected(agent.names()[0])["HostConfig"]["PortBindings"]
    binding = {"bindIP": "0.0.0.0", "containerPort": 8080, "hostPort": 80, "protocol": "tcp"}
    assert agent.control_plane.last(task)["containers"][0]["networkBindings"] == [binding]


def test_a_stop_is_sigterm_and_then_sigkill(agent: Running) -> None:
    polite, deaf = agent.container(SERVER, name="polite", **PORT), agent.container(DEAF, name="deaf", **LOGS)
    task = agent.task(polite, deaf)
    agent.runs(task)
    agent.until(lambda: agent.lines("deaf"), "the program to ignore SIGTERM")
    agent.until(lambda: agent.asks(agent.control_plane.address("i-1", "tcp:80")), "an answer")
    assert [each["exitCode"] for each in agent.stops(task)["containers"]] == [7, 137]


def test_a_container_that_needs_more_memory_is_killed_and_the_reason_says_so(agent: Running) -> None:
    task = agent.task(agent.container(GREEDY, memory=32, linuxParameters={"maxSwap": 0}))
    agent.control_plane.wants(an_instance(), tasks=(task,))
    report = agent.ended(task)
    assert report["reason"] == "Essential container in task exited"
    [container] = report["containers"]
    assert container["exitCode"] == 137
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_an_image_that_is_nowhere_cannot_be_pulled(agent: Running) -> None:
    task = agent.task({"image": "127.0.0.1:9/nobody/knows:1"})
    agent.control_plane.wants(an_instance(), tasks=(task,))
    assert agent.ended(task)["reason"].startswith("CannotPullContainerError: Error response from daemon: ")


def test_a_program_that_is_not_there_cannot_be_started(agent: Running) -> None:
    task = agent.task({"image": agent.image, "entryPoint": ["/no/such/program"]})
    agent.control_plane.wants(an_instance(), tasks=(task,))
    assert agent.ended(task)["reason"].startswith("CannotStartContainerError: Error response from daemon: ")


def test_the_definitions_health_check_counts(agent: Running) -> None:
    check = {"command": ["CMD-SHELL", "test -e /tmp/ok"], "interval": 1, "retries": 1}
    task = agent.task(agent.container("open('/tmp/ok', 'w')\n" + WAIT, healthCheck=check))
    agent.runs(task)
    agent.until(lambda: "HEALTHY" in agent.healths(task), "the task to be healthy")
    DockerClient().execute(agent.names()[0], ["rm", "/tmp/ok"])
    agent.until(lambda: "UNHEALTHY" in agent.healths(task), "the task to be unhealthy")


def test_containers_of_a_task_share_volumes_and_links_and_wait_for_each_other(agent: Running) -> None:
    mount = {"mountPoints": [{"sourceVolume": "shared", "containerPath": "/shared"}], "user": "0"}
    reading = "import urllib.request as r; print(open('/shared/x').read(), r.urlopen('http://db:8080').read().decode())"
    task = agent.task(
        agent.container(
            reading + "\n" + WAIT,
            name="app",
            links=["server:db"],
            dependsOn=[
                {"containerName": "setup", "condition": "SUCCESS"},
                {"containerName": "server", "condition": "HEALTHY"},
            ],
            **mount,
            **LOGS,
        ),
        agent.container("open('/shared/x', 'w').write('written')", name="setup", essential=False, **mount),
        agent.container(
            SERVER,
            name="server",
            hostname="linked",
            healthCheck={
                "command": ["CMD", "python", "-c", CONNECT],
                "interval": 1,
            },
        ),
    )
    definition = {**task.definition, "volumes": [{"name": "shared", "host": {}}]}
    task = _having(task, definition)
    agent.runs(task)
    assert agent.until(lambda: agent.lines("app"), "the app's line") == ["written linked"]


def test_the_name_of_a_load_balancer_is_the_edges_address(agent: Running) -> None:
    look = "import socket; print(socket.gethostbyname('web.elb.amazonaws.com'), flush=True)\n" + WAIT
    task = agent.task(agent.container(look, name="looks", **LOGS))
    agent.control_plane.wants(an_instance(), tasks=(task,), balancers=(balancer(),))
    [found] = agent.until(lambda: agent.lines("looks"), "the address")
    networks = agent.inspected(agent.probe)["NetworkSettings"]["Networks"]
    assert [each["IPAddress"] for each in networks.values()] == [found]


def test_with_the_hosts_network_containers_of_a_task_share_localhost(agent: Running) -> None:
    asking = (
        "import time, urllib.request as r; time.sleep(1); print(r.urlopen('http://localhost:8080').read().decode())"
    )
    task = agent.task(
        agent.container(SERVER, portMappings=[{"containerPort": 8080}], hostname="me"),
        agent.container(
            asking + "\n" + WAIT, name="asks", dependsOn=[{"containerName": "c0", "condition": "START"}], **LOGS
        ),
    )
    agent.runs(_having(task, {**task.definition, "networkMode": "host"}))
    assert agent.until(lambda: agent.lines("asks"), "the answer") == ["me"]
    agent.until(lambda: agent.asks(agent.control_plane.address("i-1", "tcp:8080")) == "me", "an answer from outside")


def test_the_tasks_of_a_lost_instance_fall_silent_until_it_is_found(agent: Running) -> None:
    task = agent.task(agent.container(SERVER, hostname="me", **PORT))
    agent.runs(task)
    address = agent.control_plane.address("i-1", "tcp:80")
    agent.until(lambda: agent.asks(address), "an answer")
    [name] = agent.names()
    began = time.monotonic()
    agent.control_plane.wants(an_instance(lost=True), tasks=(task,))
    agent.until(lambda: agent.inspected(name)["State"]["Paused"], "the container to fall silent")
    assert time.monotonic() - began < 1
    agent.until(lambda: not agent.inspected(name)["NetworkSettings"]["Networks"], "it to be disconnected")
    assert not agent.asks(address)
    agent.control_plane.wants(an_instance(), tasks=(task,))
    agent.until(lambda: agent.asks(agent.control_plane.address("i-1", "tcp:80")) == "me", "an answer")
    assert set(agent.control_plane.statuses(task)) == {"RUNNING"}


def test_a_container_that_is_paused_is_killed_with_its_instance(agent: Running) -> None:
    task = agent.task(agent.container(WAIT))
    agent.runs(task)
    [name] = agent.names()
    agent.control_plane.wants(an_instance(lost=True), tasks=(task,))
    agent.until(lambda: agent.inspected(name)["State"]["Paused"], "the container to fall silent")
    agent.control_plane.wants()
    agent.until(lambda: not agent.names(), "the container to be killed and removed")


def test_an_agent_that_is_started_again_finds_its_containers(agent: Running) -> None:
    stays = agent.task(agent.container(SERVER, **PORT))
    ends = agent.task(agent.container("import sys; sys.stdin.read()", interactive=True))
    agent.control_plane.wants(an_instance(), tasks=(stays, ends))
    for task in (stays, ends):
        agent.until(partial(agent.control_plane.statuses, task), "the task to run")
    before = set(agent.names())
    agent.process.kill()
    [name] = [each for each in before if agent.inspected(each)["Config"]["OpenStdin"]]
    agent.engine.signal(name, "SIGKILL")
    agent.control_plane.reports.clear()
    agent.process.start()
    assert agent.ended(ends)["containers"][0]["exitCode"] == 137
    agent.until(lambda: agent.control_plane.statuses(stays) == ["RUNNING"], "the other to be reported again")
    assert set(agent.names()) == before
    assert agent.control_plane.address("i-1", "tcp:80")


def _having(task: DesiredTask, definition: Mapping[str, Any]) -> DesiredTask:
    return replace(task, definition=definition)
