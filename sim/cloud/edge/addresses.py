"""Where a port of an EC2 instance really is: by the port table that the agents report."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from sim.cluster.desired import Desired


def _any_certificate() -> ssl.SSLContext:
    """Without a policy for back-end authentication a Classic ELB does not look at an instance's certificate.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-create-https-ssl-load-balancer.html
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


TO_INSTANCES: Final = _any_certificate()


@dataclass
class Addresses:
    """The port table. An instance that is lost or gone is silent; a port of another that nobody has is refused."""

    _ports: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    _reachable: Collection[str] = ()

    def update(self, desired: Desired) -> set[str]:
        """Takes the table of a new state. Returns the instances that fell silent."""
        before = set(self._reachable)
        self._reachable = {each.id for each in desired.instances if not each.lost}
        self._ports = {
            (each.instance, each.port): _address(each.address) for each in desired.host_ports if each.protocol == "tcp"
        }
        return before - self._reachable

    def reaches(self, instance: str) -> bool:
        """True if the instance answers at all."""
        return instance in self._reachable

    async def connect(
        self, instance: str, port: int, make: Callable[[], asyncio.BaseProtocol], *, tls: bool
    ) -> asyncio.Transport:
        """Connects a protocol to the port. Raises ConnectionRefusedError and other OSErrors; never ends if the
        instance is silent."""
        loop = asyncio.get_running_loop()
        if instance not in self._reachable:
            await loop.create_future()
        address = self._ports.get((instance, port))
        if address is None:
            raise ConnectionRefusedError(f"nothing listens on port {port} of {instance}")
        transport, _ = await loop.create_connection(make, *address, ssl=TO_INSTANCES if tls else None)
        return transport


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)
