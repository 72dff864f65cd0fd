"""The local cloud as one thing: LocalStack, the relays in front of it, and the pipeline's resources in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from sim.cloud.localstack import environment, serve_script, settings
from sim.cloud.relay import Relays
from sim.cloud.resources import DataPlane, local_resources
from sim.runtime.process import Process, free_port
from sim.runtime.scope import Scope
from sim.waiting import until

_READY_SECONDS = 60


class LocalCloud:
    """LocalStack on a free loopback port. `data_plane` goes to it straight, services go through relays."""

    def __init__(self, scope: Scope, relays: Iterable[str], tell: Callable[[str], None]) -> None:
        self._tell = tell
        port = free_port()
        directory = scope.directory / "localstack"
        python = environment.ensure(tell)
        environment.share_cache(directory)
        self.endpoint = f"http://127.0.0.1:{port}"
        self.process = Process(
            "localstack",
            [str(python), str(serve_script)],
            {
                **_inherited(),
                **settings.environment("127.0.0.1", port, directory),
                "PYTHONPATH": str(environment.plugins()),
            },
            scope,
        )
        self.relays = Relays(relays, ("127.0.0.1", port))
        self.data_plane = DataPlane(self.endpoint, local_resources(self.endpoint))

    def open(self) -> None:
        """Begins the start of LocalStack, and opens the relays to it."""
        self.process.start()
        self.relays.start()

    def prepare(self, *, visibility_timeout: int, max_receive_count: int) -> None:
        """Waits until it is ready, and makes the resources. Raises ProcessFailed or TimedOut."""
        self._tell("waiting for LocalStack")
        until(self._ready, "LocalStack to be ready", seconds=_READY_SECONDS, seen=self.process.tail)
        self.data_plane.create(visibility_timeout=visibility_timeout, max_receive_count=max_receive_count)

    def stop(self) -> None:
        """Ends it. What was in it is gone."""
        self.relays.stop()
        self.process.kill()

    def _ready(self) -> bool:
        self.process.check()
        return settings.is_ready(self.endpoint)


def _inherited() -> dict[str, str]:
    """What LocalStack gets of our environment: nothing that configures AWS, LocalStack or Python."""
    return {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
