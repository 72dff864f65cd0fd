"""What is in the images that ship, and what is not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sim.host.command import CommandFailed, run
from sim.images import sbom
from sim.images.build import Images
from sim.images.service import SERVICES
from tests.images.containers import DOCKER, docker_run

pytestmark = [
    pytest.mark.parametrize("service", SERVICES),
    pytest.mark.timeout(600),
]

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def bills(images: Images, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The SBOM of each service."""
    try:
        files = sbom.write(tmp_path_factory.mktemp("sbom"), images.services)
    except CommandFailed as failure:
        if failure.status is None:
            pytest.skip(str(failure))
        raise
    return dict(zip(SERVICES, (json.loads(file.read_text()) for file in files), strict=True))


def test_its_sbom_lists_every_package_in_the_locked_version(bills: dict[str, Any], service: str) -> None:
    # One lock serves all systems; what it has for Windows alone is not in an image.
    lines = re.findall(r"^([\w.-]+)==(\S+)(.*)", (ROOT / f"services/{service}/requirements.txt").read_text(), re.M)
    locked = {name: version for name, version, marker in lines if "sys_platform == 'win32'" not in marker}
    listed = {
        # https://packaging.python.org/en/latest/specifications/name-normalization/
        re.sub(r"[-_.]+", "-", name).lower(): version
        for component in bills[service]["components"]
        for name, version in re.findall(r"^pkg:pypi/(.+)@(.+)$", component.get("purl", ""))
        if any(each["value"].startswith("venv/") for each in component["properties"])
    }
    assert "boto3" in listed
    assert listed == locked


def test_its_sbom_names_the_image_and_what_debian_brings(bills: dict[str, Any], image: str, service: str) -> None:
    assert bills[service]["metadata"]["component"]["name"] == image
    assert any(each.get("purl", "").startswith("pkg:deb/debian/libc6@") for each in bills[service]["components"])


def test_of_our_files_it_holds_the_service_and_nothing_else(image: str, service: str) -> None:
    shipped = [
        "services/__init__.py",
        *(f"services/pipeline/{file.name}" for file in (ROOT / "services/pipeline").glob("*.py")),
        *(f"services/{service}/{file.name}" for file in (ROOT / "services" / service).glob("*.py")),
        *(f"services/{service}/{name}" for name in ("requirements.txt", "version.txt")),
    ]
    find = (".", "-type", "f", "-not", "-name", "*.pyc", "-printf", "%P\\n")
    assert sorted(docker_run(image, *find, entrypoint="find").split()) == sorted(shipped)


def test_it_holds_no_compiler(image: str) -> None:
    names = r".*/(.*-)?(gcc|g\+\+|cc|c\+\+|cc1|clang|tcc|ld|as|make|cargo|rustc|go)(-[0-9.]+)?"
    find = ("/usr", "/venv", "-regextype", "posix-extended", "-regex", names, "-executable", "-not", "-type", "d")
    assert docker_run(image, *find, entrypoint="find") == ""


def test_it_holds_no_tests(image: str) -> None:
    assert docker_run(image, "/venv", "/app", "-type", "d", "-name", "tests", entrypoint="find") == ""


@pytest.mark.usefixtures("bills")
def test_it_holds_no_secret(image: str) -> None:
    results = json.loads(sbom.scan(image, "--scanners", "secret", "--format", "json")).get("Results", [])
    assert [result["Target"] for result in results if result.get("Secrets")] == []


def test_neither_its_history_nor_its_configuration_speaks_of_a_secret(image: str) -> None:
    # python-on-whales has no history yet.
    history = run(["docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image], remedy="")
    assert "COPY /app /app" in history
    secret = re.compile(r".*(?:token|secret|passw|credential|aws_).*", re.IGNORECASE)
    assert secret.findall(f"{history}\n{DOCKER.image.inspect(image).config}") == []


def test_it_is_small(images: Images, image: str) -> None:
    """Two thirds of it are the models of boto3 and the server."""
    assert size(image) - size(images.bases.python) < 75 * MEGABYTE


def size(image: str) -> int:
    """Bytes of all files, so that it does not depend on how an engine keeps its layers."""
    # Root and its capabilities, because some folders are root's alone.
    used = DOCKER.run(image, ["-sxb", "/"], entrypoint="du", user="0", networks=["none"], remove=True)
    return int(str(used).split()[0])
