"""Measures how much the gateway adds to a call: calls the AWS stub directly and through a gateway, in turns."""

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
class GatewayCost:
    """The duration of a `PutObject` by boto3, in microseconds."""

    straight: float
    through: float
    """From call to answer, as the median of the rounds. The same holds for `straight`."""
    cpu: float
    """The CPU time of the gateway's process for each call."""

    @property
    def ratio(self) -> float:
        """The duration through the gateway, divided by the direct duration."""
        return self.through / self.straight


def measure() -> GatewayCost:
    """Starts a stub and a gateway, and measures calls to both."""
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
    return GatewayCost(median(straight for straight, _ in rounds), median(through for _, through in rounds), cpu)


def table(cost: GatewayCost) -> Table:
    """The result as a table."""
    shown = Table("straight us", "through us", "ratio", "gateway's cpu us", title="A call through the gateway")
    shown.add_row(f"{cost.straight:.0f}", f"{cost.through:.0f}", f"{cost.ratio:.2f}", f"{cost.cpu:.0f}")
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
