"""The addresses at which containers' ports are published and reached."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from sim.errors import SimError

SETTING = "SIM_PUBLISH_ADDRESS"

# An engine mounts three files of its own into each container.
_OWN_FILE = re.compile(r"/containers/([0-9a-f]{64})/\S+ /etc/(?:hostname|hosts|resolv\.conf) ")


class EngineElsewhere(SimError):
    """The engine's ports are not on this machine's loopback, and no setting allows opening them to other machines."""


@dataclass(frozen=True)
class PublishedPorts:
    """Ports are bound to `address` on the engine's machine. This machine reaches them at `host`."""

    address: str
    host: str

    @property
    def engine_host(self) -> str:
        """The address at which the engine itself reaches the ports."""
        return self.address if _is_loopback(self.address) else "127.0.0.1"

    def url(self, port: int) -> str:
        """The URL of a published port, without a path."""
        return f"http://[{self.host}]:{port}" if ":" in self.host else f"http://{self.host}:{port}"


def published_ports(host: str, setting: str | None) -> PublishedPorts:
    """The addresses for an engine whose ports are reached at `host`.

    Ports are published on loopback, unless SIM_PUBLISH_ADDRESS (`setting`) names an address of the engine's machine.
    Raises EngineElsewhere.
    """
    host = "127.0.0.1" if host == "localhost" else host
    if setting:
        return PublishedPorts(setting, host)
    if not _is_loopback(host):
        raise EngineElsewhere(
            f"the ports of the Docker engine are at {host}, which is not this machine's loopback, and the kit opens "
            f"none beyond that by itself: let {SETTING} name the address of the engine's machine to publish on, such "
            "as 0.0.0.0 for all that it has; whoever reaches that address reaches the pipeline and its local cloud. "
            "TESTCONTAINERS_HOST_OVERRIDE says where to reach the ports, if that is elsewhere"
        )
    return PublishedPorts(host, host)


def container_of(mountinfo: str) -> str | None:
    """The id of the container that a process with these mounts is in (proc(5), /proc/PID/mountinfo); None if none."""
    own_file = _OWN_FILE.search(mountinfo)
    return own_file[1] if own_file else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
