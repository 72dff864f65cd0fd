"""The kit on another machine than the engine's: in a container that has the engine's socket, or reaches it by TCP.

The container has a network of its own, so 127.0.0.1 of the engine's machine is out of its reach. All that it runs is
this machine's, mounted: Python, the kit and the docker client.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from python_on_whales import DockerClient

from sim.host.cleanup import Cleanup
from sim.host.container import Network, new_run
from sim.host.engine_api import LABEL
from sim.images.build import Images
from sim.images.checkout import ROOT

pytestmark = [pytest.mark.usefixtures("docker"), pytest.mark.timeout(600)]

DOCKER = DockerClient()
SOCKET = Path("/var/run/docker.sock")
RELAY = """
import asyncio

async def copy(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.write_eof()

async def relay(reader, writer):
    engine = await asyncio.open_unix_connection("/var/run/docker.sock")
    await asyncio.gather(copy(reader, engine[1]), copy(engine[0], writer))
    for each in (writer, engine[1]):
        each.close()

async def main():
    server = await asyncio.start_server(relay, "0.0.0.0", 2375)
    print("listening", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
PUBLISH_ONE = "tests/e2e/test_publish.py::test_an_email_is_one_object_named_by_its_own_time"


@dataclass(frozen=True)
class Elsewhere:
    """A network of the engine, in which another machine is started for each command."""

    network: str
    run: str
    image: str

    @property
    def gateway(self) -> str:
        """The address of the engine's machine in the network."""
        [subnet] = DOCKER.network.inspect(self.network).ipam.config or []
        return str(subnet["Gateway"])

    def pytest(self, *mounts: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """One end-to-end test with the target docker, on a machine with these mounts and this environment."""
        volumes = _outermost({Path("/usr"), Path(sys.base_prefix), Path(sys.prefix), ROOT, _git()})
        safe = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        everything = {**environment, **safe, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}
        command = [
            *("docker", "run", "--rm", "--network", self.network, "--label", f"{LABEL}={self.run}"),
            *(word for path in volumes for word in ("--volume", f"{path}:{path}:ro")),
            *(word for path in mounts for word in ("--volume", f"{path}:{path}")),
            *(word for name, value in everything.items() for word in ("--env", f"{name}={value}")),
            *("--workdir", str(ROOT), "--entrypoint", sys.executable, self.image),
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "240", "--target", "docker", PUBLISH_ONE),
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def _git() -> Path:
    """Where the commit is known, which the images are labelled with."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--path-format=absolute", "--git-common-dir"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()) if found.returncode == 0 else ROOT


def _outermost(paths: set[Path]) -> list[Path]:
    return sorted(path for path in paths if not any(path != other and path.is_relative_to(other) for other in paths))


@pytest.fixture(scope="module")
def elsewhere(images: Images) -> Iterator[Elsewhere]:
    if not SOCKET.is_socket() or not sys.platform.startswith("linux"):
        pytest.skip(f"not applicable: the engine is not this machine's own, at {SOCKET}")
    run = new_run()
    with Cleanup() as cleanup:
        cleanup.owns("label", f"{LABEL}={run}")
        yield Elsewhere(Network.create(run, "elsewhere").name, run, images.bases.python)


def test_with_the_engines_socket_mounted(elsewhere: Elsewhere) -> None:
    refused = elsewhere.pytest(SOCKET)
    assert refused.returncode == 1
    assert f"the ports of the Docker engine are at {elsewhere.gateway}" in refused.stdout
    assert "SIM_PUBLISH_ADDRESS" in refused.stdout
    opened = elsewhere.pytest(SOCKET, SIM_PUBLISH_ADDRESS=elsewhere.gateway)
    assert "1 passed" in opened.stdout, opened.stdout


def test_by_tcp(elsewhere: Elsewhere) -> None:
    DOCKER.run(
        elsewhere.image,
        ["-c", RELAY],
        entrypoint="python",
        networks=[elsewhere.network],
        network_aliases=["engine"],
        volumes=[(SOCKET, SOCKET)],
        labels={LABEL: elsewhere.run},
        detach=True,
    )
    refused = elsewhere.pytest(DOCKER_HOST="tcp://engine:2375")
    assert refused.returncode == 1
    assert "the ports of the Docker engine are at engine" in refused.stdout
    opened = elsewhere.pytest(
        DOCKER_HOST="tcp://engine:2375",
        SIM_PUBLISH_ADDRESS=elsewhere.gateway,
        TESTCONTAINERS_HOST_OVERRIDE=elsewhere.gateway,
    )
    assert "1 passed" in opened.stdout, opened.stdout
