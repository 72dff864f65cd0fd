"""The local cloud as one thing: LocalStack, the gateway in front of it, and the pipeline's resources in it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import sim
from sim.aws.ecr_authorization import RegistryAccess
from sim.cloud.aws_client import NO_FILES
from sim.cloud.gateway.control_client import GatewayControl
from sim.cloud.localstack import serve_script, settings, venv
from sim.cloud.resources import DataPlane, local_resources
from sim.host.cleanup import Cleanup
from sim.host.docker_settings import docker_environment
from sim.host.process import Process, ProcessFailed, free_port
from sim.host.waiting import until

_READY_SECONDS = 120
_STOP_SECONDS = 15
_SOURCE = Path(sim.__file__).parents[1]


class LocalCloud:
    """LocalStack on a free loopback port. `data_plane` goes to it straight, services through the gateway's `ports`."""

    def __init__(
        self,
        cleanup: Cleanup,
        ports: Iterable[str],
        progress: Callable[[str], None],
        registry_image: str | None = None,
        time_scale: float = 1.0,
    ) -> None:
        """`registry_image` is what ECR's registry runs from; None for an ECR to which nothing can be pushed.

        AWS's clock runs `time_scale` times as fast as this machine's.
        """
        self._cleanup = cleanup
        self._names = tuple(ports)
        self._registry_image = registry_image
        self._time_scale = time_scale
        self._progress = progress
        self.processes: list[Process] = []
        """LocalStack and the gateway, once it is open."""
        self.registry: RegistryAccess | None = None
        """Where Docker reaches ECR's registry, once it is open; None if Docker does not."""

    def open(self) -> None:
        """Installs LocalStack where it is missing, and begins the start of it and of the gateway.

        Raises CommandFailed, or EnvironmentNotMade.
        """
        port, control = free_port(), free_port()
        self._ports = {name: free_port() for name in self._names}
        self.endpoint = f"http://127.0.0.1:{port}"
        self.gateway_control = GatewayControl(f"http://127.0.0.1:{control}")
        self.data_plane = DataPlane(self.endpoint, local_resources(self.endpoint))
        if self._registry_image and _docker_reaches_loopback():
            self.registry = RegistryAccess(f"127.0.0.1:{free_port()}", token_hex())
        self._localstack = self._new_localstack(port)
        self._gateway = self._new_gateway(port, control)
        self.processes = [self._localstack, self._gateway]
        for process in self.processes:
            process.start()

    def _new_localstack(self, port: int) -> Process:
        directory = self._cleanup.directory / "localstack"
        python = venv.ensure(self._progress)
        venv.share_cache(directory)
        environment = settings.environment("127.0.0.1", port, directory, self.registry, self._time_scale)
        return Process(
            "localstack",
            [str(python), str(serve_script)],
            {**inherited(), **environment, "PYTHONPATH": str(venv.plugins())},
            self._cleanup,
        )

    def _new_gateway(self, upstream: int, control: int) -> Process:
        options, environment = self._for_registry()
        return Process(
            "gateway",
            [
                *(sys.executable, "-m", "sim.cloud.gateway", "--host", "127.0.0.1"),
                *("--upstream", f"127.0.0.1:{upstream}", "--control", str(control)),
                *options,
                *(f"{name}={number}" for name, number in self._ports.items()),
            ],
            {**inherited(), **environment, "PYTHONPATH": str(_SOURCE)},
            self._cleanup,
        )

    def _for_registry(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """What the gateway is told of the registry, whose storage it starts when Docker first needs it."""
        if self.registry is None or self._registry_image is None:
            return (), {}
        storage = f"127.0.0.1:{free_port()}"
        options = (
            *("--registry", self.registry.address.rpartition(":")[2], "--storage", storage),
            *("--storage-url", f"http://{storage}", "--storage-image", self._registry_image),
        )
        return options, {**docker_environment(), **self.registry.environment()}

    def prepare(self, *, visibility_timeout: int, max_receive_count: int) -> None:
        """Waits until all is ready, and makes the resources. Raises ProcessFailed or TimedOut."""
        self.await_ready()
        self.data_plane.create(visibility_timeout=visibility_timeout, max_receive_count=max_receive_count)

    def await_ready(self) -> None:
        """Waits until LocalStack and the gateway are ready. Raises ProcessFailed or TimedOut."""
        until(self._gateway_ready, "the gateway to be ready", seconds=_READY_SECONDS, seen=self._gateway.tail)
        self._progress("waiting for LocalStack")
        until(self._ready, "LocalStack to be ready", seconds=_READY_SECONDS, seen=self._localstack.tail)

    def stop(self) -> None:
        """Ends it. What was in it is gone."""
        if self.processes:
            # The gateway ends the registry's storage, which is a container.
            self._gateway.terminate()
            with suppress(ProcessFailed):
                self._gateway.wait(_STOP_SECONDS)
        for process in reversed(self.processes):
            process.kill()

    def endpoint_of(self, port: str) -> str:
        """The URL of one of the gateway's ports."""
        return f"http://127.0.0.1:{self._ports[port]}"

    def _gateway_ready(self) -> bool:
        self._gateway.check()
        return self.gateway_control.is_ready()

    def _ready(self) -> bool:
        self._localstack.check()
        return settings.is_ready(self.endpoint)


def inherited() -> dict[str, str]:
    """What a part of the local cloud gets of our environment. It configures no AWS, proxy, LocalStack or Python."""
    return {**NO_FILES, **{name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}}


def _docker_reaches_loopback() -> bool:
    """Whether there is Docker, whose engine reaches this machine's loopback: on Linux, elsewhere it is in a machine of
    its own."""
    return sys.platform == "linux" and shutil.which("docker") is not None
