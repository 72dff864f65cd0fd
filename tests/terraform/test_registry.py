"""What only a machine with a network runs: a module out of a registry, and a provider that is held to its checksums.

The module registry is one on loopback: https://developer.hashicorp.com/terraform/internals/module-registry-protocol
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from release.errors import CommandFailed
from release.terraform import LOCK_FILE, Root, surroundings
from sim.terraform import installation
from sim.terraform.installation import STAND_IN, Modules
from sim.terraform.root_order import TERRAFORM

MODULE, VERSION = "terraform-aws-modules/vpc/aws", "5.21.0"


class Registry(BaseHTTPRequestHandler):
    """Has one module in one version, whose content is the stand-in's."""

    def do_GET(self) -> None:
        if self.path == f"/{MODULE}/versions":
            self._answer(200, json.dumps({"modules": [{"versions": [{"version": VERSION}]}]}).encode())
        elif self.path == f"/{MODULE}/{VERSION}/download":
            self._answer(204, b"", {"X-Terraform-Get": f"http://{self.headers['Host']}/module.tar.gz"})
        elif self.path.startswith("/module.tar.gz"):
            content = io.BytesIO()
            with tarfile.open(fileobj=content, mode="w:gz") as tar:
                tar.add(STAND_IN, arcname=".")
            self._answer(200, content.getvalue())
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library has it
        """Says nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    """Its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def network(terraform: None, registry: str, tmp_path: Path) -> Root:  # noqa: ARG001 - it is there
    """The root, in a copy, for a Terraform whose modules come from that registry."""
    shutil.copytree(TERRAFORM / "network", tmp_path / "network", ignore=shutil.ignore_patterns(".terraform", "tests"))
    given = installation.environment(tmp_path, os.environ)
    configuration = Path(given["TF_CLI_CONFIG_FILE"]).read_text()
    # What is named here replaces all that the host says of itself.
    services = {"modules.v1": registry, "providers.v1": "https://registry.terraform.io/v1/providers/"}
    host = f'host "registry.terraform.io" {{\n  services = {json.dumps(services).replace(": ", " = ")}\n}}\n'
    own = tmp_path / "own.tfrc"
    own.write_text(configuration + host)
    environment = {**surroundings(os.environ, {}), "TF_CLI_CONFIG_FILE": str(own)}
    return Root("network", tmp_path / "network", environment)


def test_the_module_is_the_registrys_where_there_is_one(network: Root) -> None:
    assert installation.choose(network, Modules.AUTO, lambda: "") is Modules.REGISTRY
    [_, vpc] = json.loads((network.directory / ".terraform/modules/modules.json").read_text())["Modules"]
    assert (vpc["Source"], vpc["Version"]) == (f"registry.terraform.io/{MODULE}", VERSION)
    assert installation.choose(network, Modules.STAND_IN, lambda: "registry.terraform.io") is Modules.STAND_IN
    assert installation.choose(network, Modules.REGISTRY, lambda: "") is Modules.REGISTRY, "and back"


@pytest.mark.usefixtures("provider")
def test_a_provider_with_another_checksum_is_refused(network: Root) -> None:
    installation.choose(network, Modules.REGISTRY, lambda: "")
    lock = network.directory / LOCK_FILE
    network.run("init", "-no-color", "-backend=false", "-lockfile=readonly")
    lock.write_text(lock.read_text().replace('"h1:', '"h1:A'))
    shutil.rmtree(network.directory / ".terraform/providers")
    with pytest.raises(CommandFailed, match="checksums"):
        network.run("init", "-no-color", "-backend=false", "-lockfile=readonly")
