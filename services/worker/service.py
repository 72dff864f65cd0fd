"""The worker on real clients, threads and processes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from services.pipeline import aws, log
from services.pipeline.runtime import ThreadRuntime
from services.pipeline.signals import END
from services.worker import processes
from services.worker.health import heartbeat_file
from services.worker.heartbeat import Heartbeat
from services.worker.queue import Queue
from services.worker.settings import Settings
from services.worker.store import Store
from services.worker.worker import Worker

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

    from services.pipeline.runtime import Runtime


def assemble(settings: Settings, sqs: SQSClient, s3: S3Client, sign: Callable[[], None], runtime: Runtime) -> Worker:
    """A worker, not yet started. `sign` is what shows that it lives, called at every heartbeat."""
    return Worker(
        Queue(sqs, settings, runtime),
        Store(s3, settings.bucket, settings.prefix),
        Heartbeat(sign, settings.heartbeat_seconds, settings.refused_seconds, runtime),
        settings,
        runtime,
    )


def work(settings: Settings, number: int) -> int:
    """One process of the worker: works until a signal comes; the exit status."""
    log.configure("worker", settings.log_level)
    sqs = aws.client(
        "sqs",
        settings.aws_region,
        connections=2 * settings.pollers,
        attempts=1,
        read_timeout=settings.receive_wait_seconds + aws.READ_TIMEOUT_SECONDS,
    )
    s3 = aws.client("s3", settings.aws_region, connections=settings.pollers * settings.receive_batch_size, attempts=1)
    sign = Path(heartbeat_file(str(settings.heartbeat_file), number)).touch
    worker = assemble(settings, sqs, s3, sign, ThreadRuntime())
    worker.start()
    # Waited for, not handled: no handler ever runs in the middle of something.
    signal.sigwait(END)
    worker.stop()
    return 0 if worker.wait_stopped(settings.stop_timeout_seconds) else 1


def serve(settings: Settings) -> int:
    """Works in `settings.processes` processes until a signal comes; the exit status, 0 if nothing was left in hand."""
    return processes.run(settings.processes, partial(work, settings))
