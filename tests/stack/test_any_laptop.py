"""The demonstration on a laptop with other things set up: AWS, proxies, a terminal, no user name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sim.cloud.localstack.venv import ensure
from sim.host.process import free_port
from sim.images.checkout import ROOT

# LocalStack may have to be installed first.
pytestmark = pytest.mark.timeout(600)

_NO_SUCH_USER = """
import pwd, sys
def unknown(key):
    raise KeyError(f"getpwuid(): uid not found: {key}")
pwd.getpwuid = unknown
from sim.cli.main import main
sys.argv = ["sim", *sys.argv[1:]]
main()
"""
_AWS = """[default]
region = us-gov-west-1
use_fips_endpoint = true
use_dualstack_endpoint = true
ca_bundle = /nowhere/ca.pem
s3 =
  addressing_style = virtual
"""
_MAIL = "From: Zażółć <z@example.com>\nDate: Fri, 21 Nov 1997 09:55:06 -0600\nSubject: =?utf-8?q?gęślą_jaźń?=\n\nHi\n"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A person's own settings, every one of which would lead the kit astray. LocalStack is installed before them,
    since behind proxies that do not answer there is no package index."""
    ensure(print)
    configuration = tmp_path / "config"
    configuration.write_text(_AWS)
    nobody = f"http://127.0.0.1:{free_port()}"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), nobody)
    aws = {
        "AWS_PROFILE": "work",
        "AWS_CONFIG_FILE": str(configuration),
        "AWS_REGION": "us-east-2",
        "AWS_ENDPOINT_URL_SQS": nobody,
        "AWS_ENDPOINT_URL": nobody,
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    }
    # Below a file nobody can make anything, root included.
    terminal = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict", "HOME": str(configuration / "a home")}
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {**kept, **proxies, **aws, **terminal}


def _run(environment: dict[str, str], *arguments: str, checkout: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _NO_SUCH_USER, *arguments]
    return subprocess.run(
        command, env=environment, cwd=checkout, capture_output=True, text=True, timeout=100, check=False
    )


def test_the_demonstration_ignores_other_settings_of_the_machine(environment: dict[str, str], tmp_path: Path) -> None:
    mail = tmp_path / "a mail.eml"
    mail.write_text(_MAIL, encoding="utf-8")
    checkout = tmp_path / "a checkout"
    for folder in ("services", "sim", "release"):
        shutil.copytree(ROOT / folder, checkout / folder)
    ended = _run(environment, "demo", str(mail), "--json", checkout=checkout)
    assert ended.returncode == 0, ended.stderr
    [row] = json.loads(ended.stdout)
    assert row["detail"].endswith(".json")


def test_a_world_ignores_them_too(environment: dict[str, str]) -> None:
    ended = _run(environment, "world", "run", "--seeds", "1")
    assert ended.returncode == 0, ended.stderr


def test_characters_that_a_terminal_cannot_show_are_escaped(environment: dict[str, str], tmp_path: Path) -> None:
    history = tmp_path / "zażółć.jsonl"
    history.write_text("")
    ended = _run(environment, "check", str(history), "--timeline", "ann")
    assert "Traceback" not in ended.stderr
    assert "za\\u017c\\xf3\\u0142\\u0107" in ended.stderr
