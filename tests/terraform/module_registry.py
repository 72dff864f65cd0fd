"""A module registry on loopback, and a Terraform that takes its modules from there.

https://developer.hashicorp.com/terraform/internals/module-registry-protocol
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from sim.terraform import installation
from sim.terraform.installation import STAND_IN

MODULE: Final = "terraform-aws-modules/vpc/aws"
VERSION: Final = "5.21.0"


class _Registry(BaseHTTPRequestHandler):
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


@contextmanager
def module_registry() -> Iterator[str]:
    """The URL of a registry that has the VPC module while the block lasts."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Registry) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def configuration(directory: Path, registry: str) -> dict[str, str]:
    """Terraform's configuration: providers as the kit finds them, modules from that registry."""
    kits = installation.environment(directory, os.environ)
    # What is named here replaces all that the host says of itself.
    services = {"modules.v1": registry, "providers.v1": "https://registry.terraform.io/v1/providers/"}
    host = f'host "registry.terraform.io" {{\n  services = {json.dumps(services).replace(": ", " = ")}\n}}\n'
    own = directory / "own.tfrc"
    own.write_text(Path(kits["TF_CLI_CONFIG_FILE"]).read_text() + host)
    return {"TF_CLI_CONFIG_FILE": str(own)}
