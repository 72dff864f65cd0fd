"""Measures a cluster: from the API's root of Terraform, once it is applied, to the API's first answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.simulation import Simulated
from sim.host.waiting import until
from sim.targets import create_cluster
from sim.targets.settings import api_ready
from sim.targets.target import FAST, TaskRuntime

_ROOT: Final = "services/api"
_APPLY_SECONDS: Final = 900
_ANSWER_SECONDS: Final = 120
_GOALS: Final[Mapping[TaskRuntime, float]] = {TaskRuntime.DOCKER: 20.0, TaskRuntime.PROCESS: 10.0}


def measure(progress: Callable[[str], None]) -> list[Simulated]:
    """Applies Terraform once for each runtime, some minutes each. Raises SimError."""
    return [
        Simulated(f"seconds to a cluster's first answer, {runtime}", _seconds(runtime, progress), bound, at_least=False)
        for runtime, bound in _GOALS.items()
    ]


def _seconds(runtime: TaskRuntime, progress: Callable[[str], None]) -> float:
    """The other roots are being applied meanwhile, as always."""
    applied = threading.Event()

    def watch(words: str) -> None:
        progress(words)
        if "local_roots" in vars(cluster) and any(each.root == _ROOT for each in cluster.local_roots.done):
            applied.set()

    cluster = create_cluster(FAST, watch, runtime)
    with ThreadPoolExecutor(1) as beside:
        rising = beside.submit(cluster.up)
        try:
            until(lambda: applied.is_set() or rising.done(), f"{_ROOT} to be applied", seconds=_APPLY_SECONDS)
            began = time.monotonic()
            url = cluster.await_url()
            until(lambda: api_ready(url), "the API's first answer", seconds=_ANSWER_SECONDS)
            seconds = time.monotonic() - began
            rising.result()
        finally:
            cluster.down()
    return seconds
