"""How the API starts where it cannot."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest


@pytest.mark.parametrize("shares", [False, True], ids=["another program's", "another API's"])
def test_a_port_that_is_taken_is_said_once(shares: bool) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=shares) as taken:
        port = str(taken.getsockname()[1])
        environment = {
            "AWS_REGION": "eu-central-1",
            "QUEUE_URL": "https://sqs.invalid/queue",
            "TOKEN_PARAMETER": "/emails/api/token",
            "HOST": "127.0.0.1",
            "PORT": port,
        }
        ended = subprocess.run(
            [sys.executable, "-m", "services.api"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert port in line
    assert "Set HOST and PORT" in line
