"""Where the ports of containers are, for engines here and elsewhere."""

from __future__ import annotations

import pytest

from sim.host.published_ports import EngineElsewhere, PublishedPorts, container_of, published_ports


@pytest.mark.parametrize(
    ("host", "ports"),
    [
        ("localhost", PublishedPorts("127.0.0.1", "127.0.0.1")),
        ("127.0.0.1", PublishedPorts("127.0.0.1", "127.0.0.1")),
        ("127.0.0.2", PublishedPorts("127.0.0.2", "127.0.0.2")),
        ("::1", PublishedPorts("::1", "::1")),
    ],
)
def test_on_this_machine_ports_are_on_loopback(host: str, ports: PublishedPorts) -> None:
    assert published_ports(host, None) == published_ports(host, "") == ports


@pytest.mark.parametrize("host", ["engine.example", "192.0.2.7", "172.17.0.1", "host.docker.internal"])
def test_elsewhere_nothing_is_opened_unless_a_setting_says_where(host: str) -> None:
    with pytest.raises(EngineElsewhere, match=rf"at {host}.*SIM_PUBLISH_ADDRESS.*TESTCONTAINERS_HOST_OVERRIDE"):
        published_ports(host, None)
    assert published_ports(host, "0.0.0.0") == PublishedPorts("0.0.0.0", host)


def test_the_url_of_a_port() -> None:
    assert PublishedPorts("0.0.0.0", "engine.example").url(8080) == "http://engine.example:8080"
    assert PublishedPorts("::1", "::1").url(8080) == "http://[::1]:8080"


@pytest.mark.parametrize(
    ("folder", "engine"),
    [
        ("/var/lib/docker/containers/{id}/hostname", "Docker"),
        ("/var/lib/containers/storage/overlay-containers/containers/{id}/userdata/resolv.conf", "Podman"),
    ],
)
def test_a_container_knows_its_id_by_the_files_that_its_engine_mounts(folder: str, engine: str) -> None:
    identity = "4f" * 32
    mounts = "75 60 0:53 / / rw,relatime - overlay overlay rw\n92 75 254:0 {} /etc/hostname rw - ext4 /dev/sda rw\n"
    assert container_of(mounts.format(folder.format(id=identity))) == identity, engine
    assert container_of(mounts.format("/srv/etc/hostname")) is None
    assert container_of("") is None
