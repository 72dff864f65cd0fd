"""The listeners of one load balancer, brought to what is desired of them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable

from sim.cloud.edge.listener import Listener
from sim.cloud.edge.sockets import Sockets


class Listeners:
    """Those that are open, by their ports. `name` is that under which the load balancer's ports are remembered."""

    def __init__(self, name: str) -> None:
        self.open: dict[int, Listener] = {}
        self.faults: dict[int, str] = {}
        """Why a listener could not be opened, by its port."""
        self._name = name

    async def update(
        self, wanted: Iterable[Listener], sockets: Sockets, certificate: Callable[[], ssl.SSLContext]
    ) -> None:
        """Opens the listeners that are new. One that is there becomes what is wanted, and keeps its connections.

        One that speaks another protocol than before is opened anew.
        """
        by_port = {each.desired.port: each for each in wanted}
        for port in self.open.keys() - by_port.keys():
            self._close(port)
        for port, each in by_port.items():
            before = self.open.get(port)
            if before is not None and before.desired.protocol == each.desired.protocol:
                before.become(each)
                continue
            if before is not None:
                self._close(port)
            await self._open(port, each, sockets, certificate)

    def abort(self) -> None:
        """Ends every listener and connection."""
        for listener in self.open.values():
            listener.abort()

    async def _open(
        self, port: int, listener: Listener, sockets: Sockets, certificate: Callable[[], ssl.SSLContext]
    ) -> None:
        try:
            await listener.open(sockets, self._name, certificate)
        except OSError as error:
            self.faults[port] = f"{self._name}:{port} cannot listen: {error}"
        else:
            self.faults.pop(port, None)
            self.open[port] = listener

    def _close(self, port: int) -> None:
        self.open.pop(port).close()
