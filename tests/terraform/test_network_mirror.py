"""Roots that are initialised side by side where providers come over the network: from a mirror on loopback, by HTTPS.

https://developer.hashicorp.com/terraform/internals/provider-network-mirror-protocol
"""

from __future__ import annotations

import io
import json
import shutil
import ssl
import sys
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from sim.host.command import run
from sim.terraform import installation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no variable names the certificates")

ROOTS = [f"root-{number}" for number in range(6)]
PROVIDER = "registry.terraform.io/example/sleeper"


@dataclass
class Mirror:
    """Where it is, whom it is to be trusted by, and how often its provider was fetched."""

    url: str
    certificate: Path
    fetched: list[str] = field(default_factory=list)


@pytest.fixture
def mirror(terraform: None, tmp_path: Path) -> Iterator[Mirror]:  # noqa: ARG001 - which says the platform
    platform = json.loads(run(["terraform", "version", "-json"], remedy=""))["platform"]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        program = zipfile.ZipInfo("terraform-provider-sleeper_v1.0.0")
        program.external_attr = 0o755 << 16
        # Large enough for two that write it at once to meet.
        package.writestr(program, Path(shutil.which("sleep") or "/bin/sleep").read_bytes() + bytes(20_000_000))
    archives = {"archives": {platform: {"url": "provider.zip"}}}
    files = {
        f"/{PROVIDER}/index.json": json.dumps({"versions": {"1.0.0": {}}}).encode(),
        f"/{PROVIDER}/1.0.0.json": json.dumps(archives).encode(),
        f"/{PROVIDER}/provider.zip": content.getvalue(),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = files.get(self.path)
            if self.path.endswith(".zip"):
                made.fetched.append(self.path)
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/zip" if self.path.endswith(".zip") else "application/json")
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library has it
            """Says nothing."""

    authority = trustme.CA()
    certificate = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        made = Mirror(f"https://127.0.0.1:{server.server_port}/", certificate)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def initialise(root: str, configuration: Path, mirror: Mirror) -> str:
    """`terraform init` of a root without a lock file."""
    folder = configuration.parent / root
    folder.mkdir()
    required = '{ sleeper = { source = "example/sleeper" } }'
    (folder / "main.tf").write_text(f"terraform {{\n  required_providers {required}\n}}\n")
    environment = {
        "TF_CLI_CONFIG_FILE": str(configuration),
        "CHECKPOINT_DISABLE": "1",
        "SSL_CERT_FILE": str(mirror.certificate),
    }
    return run(["terraform", f"-chdir={folder}", "init", "-no-color"], environment=environment, remedy="")


def from_mirror(configuration: Path, mirror: Mirror) -> Path:
    """Adds the mirror to a configuration of Terraform."""
    with configuration.open("a") as file:
        file.write(f'provider_installation {{\n  network_mirror {{\n    url = "{mirror.url}"\n  }}\n}}\n')
    return configuration


def side_by_side(configuration: Path, mirror: Mirror) -> list[str]:
    with ThreadPoolExecutor(len(ROOTS)) as threads:
        return list(threads.map(lambda root: initialise(root, configuration, mirror), ROOTS))


def test_with_the_kits_cache_the_provider_is_fetched_once_for_all(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kit initialises one root before the others, so that no two fill the cache at once."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "nobody")
    configuration = from_mirror(Path(installation.environment(tmp_path, {})["TF_CLI_CONFIG_FILE"]), mirror)
    initialise("first", configuration, mirror)
    assert all("successfully initialized" in printed for printed in side_by_side(configuration, mirror))
    assert len(mirror.fetched) == 1


def test_without_a_cache_each_root_fetches_its_own(mirror: Mirror, tmp_path: Path) -> None:
    configuration = tmp_path / "own.tfrc"
    configuration.touch()
    printed = side_by_side(from_mirror(configuration, mirror), mirror)
    assert all("successfully initialized" in each for each in printed)
    assert len(mirror.fetched) == len(ROOTS)
