"""The local cloud as one thing: LocalStack, the gateway in front of it, and the pipeline's resources in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import sim
from sim.cloud.aws_client import NO_FILES
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.localstack import serve_script, settings, venv
from sim.cloud.resources import DataPlane, local_resources
from sim.host.cleanup import Cleanup
from sim.host.process import Process, free_port
from sim.host.waiting import until

_READY_SECONDS = 60
_SOURCE = Path(sim.__file__).parents[1]


class LocalCloud:
    """LocalStack on a free loopback port. `data_plane` goes to it straight, services through the gateway's `ports`."""

    def __init__(self, cleanup: Cleanup, ports: Iterable[str], progress: Callable[[str], None]) -> None:
        self._progress = progress
        port = free_port()
        directory = cleanup.directory / "localstack"
        python = venv.ensure(progress)
        venv.share_cache(directory)
        self.endpoint = f"http://127.0.0.1:{port}"
        self.process = Process(
            "localstack",
            [str(python), str(serve_script)],
            {
                **_inherited(),
                **settings.environment("127.0.0.1", port, directory),
                "PYTHONPATH": str(venv.plugins()),
            },
            cleanup,
        )
        self._ports = {name: free_port() for name in ports}
        control = free_port()
        self.gateway = Process(
            "gateway",
            [
                *(sys.executable, "-m", "sim.cloud.gateway", "--host", "127.0.0.1"),
                *("--upstream", f"127.0.0.1:{port}", "--control", str(control)),
                *(f"{name}={number}" for name, number in self._ports.items()),
            ],
            {**_inherited(), "PYTHONPATH": str(_SOURCE)},
            cleanup,
        )
        self.gateway_control = GatewayControl(f"http://127.0.0.1:{control}")
        self.data_plane = DataPlane(self.endpoint, local_resources(self.endpoint))

    def open(self) -> None:
        """Begins the start of LocalStack and of the gateway to it."""
        self.process.start()
        self.gateway.start()

    def prepare(self, *, visibility_timeout: int, max_receive_count: int) -> None:
        """Waits until all is ready, and makes the resources. Raises ProcessFailed or TimedOut."""
        self.await_ready()
        self.data_plane.create(visibility_timeout=visibility_timeout, max_receive_count=max_receive_count)

    def await_ready(self) -> None:
        """Waits until LocalStack and the gateway are ready. Raises ProcessFailed or TimedOut."""
        until(self._gateway_ready, "the gateway to be ready", seconds=_READY_SECONDS, seen=self.gateway.tail)
        self._progress("waiting for LocalStack")
        until(self._ready, "LocalStack to be ready", seconds=_READY_SECONDS, seen=self.process.tail)

    def stop(self) -> None:
        """Ends it. What was in it is gone."""
        self.gateway.kill()
        self.process.kill()

    def endpoint_of(self, port: str) -> str:
        """The URL of one of the gateway's ports."""
        return f"http://127.0.0.1:{self._ports[port]}"

    def _gateway_ready(self) -> bool:
        self.gateway.check()
        return self.gateway_control.is_ready()

    def _ready(self) -> bool:
        self.process.check()
        return settings.is_ready(self.endpoint)


def _inherited() -> dict[str, str]:
    """What LocalStack gets of our environment: nothing that configures AWS, proxies, LocalStack or Python."""
    return {**NO_FILES, **{name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}}
