"""What of this machine's way to Python packages goes into the base image."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

PIP_CONF = Path(__file__).resolve().parents[3] / ".ci" / "pip-conf"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def run(tmp_path: Path, configuration: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """With a configuration of pip that is this and no other."""
    file = tmp_path / "pip.conf"
    file.write_text(configuration)
    others = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    alone = {"PIP_CONFIG_FILE": str(file), "XDG_CONFIG_DIRS": str(tmp_path), "HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, PIP_CONF], env=others | alone | environment, capture_output=True, text=True, check=False
    )


def conf(tmp_path: Path, configuration: str, **environment: str) -> dict[str, str]:
    done = run(tmp_path, configuration, **environment)
    assert done.returncode == 0, done.stderr
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(done.stdout)
    return dict(parser["global"])


def test_the_environment_wins_over_files_and_a_command_over_the_global_section(tmp_path: Path) -> None:
    files = (
        "[global]\ntimeout = 1\nindex-url = https://a.example/simple\n[install]\ntimeout = 2\n[download]\ntimeout = 9\n"
    )
    assert conf(tmp_path, files)["timeout"] == "2"
    assert conf(tmp_path, files, PIP_TIMEOUT="3") == {
        "cert": CERTIFICATES,
        "index-url": "https://a.example/simple",
        "timeout": "3",
    }


def test_an_image_keeps_the_indexes_that_it_can_reach(tmp_path: Path) -> None:
    urls = "https://a.example/simple file:///srv/simple /srv/simple http://b.example:80/simple"
    assert conf(tmp_path, f"[global]\nextra-index-url = {urls}\n") == {
        "cert": CERTIFICATES,
        "extra-index-url": "https://a.example/simple http://b.example:80/simple",
    }


def test_an_image_has_the_certificates_on_its_own_path(tmp_path: Path) -> None:
    files = "[global]\ncert = /home/me/bundle.pem\ntrusted-host = a.example\nfind-links = /srv/wheels\n"
    assert conf(tmp_path, files) == {"cert": CERTIFICATES, "trusted-host": "a.example"}


@pytest.mark.parametrize("option", ["index-url", "extra-index-url"])
@pytest.mark.parametrize("credentials", ["me:pass", "pass", ":pass"])
def test_credentials_are_refused_and_not_repeated(tmp_path: Path, option: str, credentials: str) -> None:
    done = run(tmp_path, f"[global]\n{option} = https://{credentials}@a.example/simple\n")
    assert done.returncode == 1
    assert f"{option} for a.example" in done.stderr
    assert "pass" not in done.stdout + done.stderr
