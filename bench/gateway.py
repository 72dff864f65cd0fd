"""What the gateway adds to a call: the stub of AWS without a delay, asked straight and through a gateway, in turns."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import boto3
import psutil
from botocore.config import Config
from rich.table import Table

import sim
from sim.cloud.aws_client import CREDENTIALS, REGION
from sim.cloud.gateway.control_client import GatewayControl
from sim.host.cleanup import Cleanup
from sim.host.process import Process, free_port
from sim.host.waiting import until

_CALLS = 200
_ROUNDS = 3
_SOURCE = str(Path(sim.__file__).parents[1])


@dataclass(frozen=True)
class Passing:
    """Microseconds of a `PutObject` by boto3."""

    straight: float
    through: float
    """From call to answer, medians of the rounds."""
    cpu: float
    """Of a core, that the gateway's process takes."""

    @property
    def ratio(self) -> float:
        """Through the gateway over straight."""
        return self.through / self.straight


def measure() -> Passing:
    """With a process each for the stub and the gateway."""
    stub, port, control = free_port(), free_port(), free_port()
    environment = {"PYTHONPATH": _SOURCE}
    with Cleanup() as cleanup:
        python = [sys.executable, "-m"]
        Process("stub", [*python, "bench.stub", "--port", str(stub), "--delay-ms", "0"], environment, cleanup).start()
        gateway = [*python, "sim.cloud.gateway", "--host", "127.0.0.1", "--upstream", f"127.0.0.1:{stub}"]
        between = Process("gateway", [*gateway, "--control", str(control), f"worker-s3={port}"], environment, cleanup)
        between.start()
        until(GatewayControl(f"http://127.0.0.1:{control}").is_ready, "the gateway to be ready", seconds=20)
        used = psutil.Process(between.pid)
        before = used.cpu_times()
        rounds = [(_put(stub), _put(port)) for _ in range(_ROUNDS)]
        after = used.cpu_times()
    cpu = (after.user + after.system - before.user - before.system) / (_ROUNDS * _CALLS) * 1e6
    return Passing(median(straight for straight, _ in rounds), median(through for _, through in rounds), cpu)


def table(passing: Passing) -> Table:
    """As a person reads it."""
    shown = Table("straight us", "through us", "ratio", "gateway's cpu us", title="A call through the gateway")
    shown.add_row(f"{passing.straight:.0f}", f"{passing.through:.0f}", f"{passing.ratio:.2f}", f"{passing.cpu:.0f}")
    return shown


def _put(port: int) -> float:
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
    s3 = session.client("s3", region_name=REGION, endpoint_url=f"http://127.0.0.1:{port}", config=config)
    s3.put_object(Bucket="emails", Key="first", Body=b"")
    began = time.perf_counter()
    for number in range(_CALLS):
        s3.put_object(Bucket="emails", Key=str(number), Body=b"x" * 1000)
    return (time.perf_counter() - began) / _CALLS * 1e6
