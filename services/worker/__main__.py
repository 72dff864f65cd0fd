"""`python -m services.worker`: the worker as its container runs it. Ends on SIGTERM or SIGINT, with 0 when
nothing was left in hand."""

from __future__ import annotations

import signal
import sys

from services.pipeline import aws, log
from services.pipeline.runtime import ThreadRuntime
from services.worker.heartbeat import Heartbeat
from services.worker.queue import Queue
from services.worker.settings import Settings
from services.worker.store import Store
from services.worker.worker import Worker

_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def main(settings: Settings) -> int:
    """Works until a signal comes; the exit status."""
    # Blocked in every thread, and waited for in this one: no handler ever runs in the middle of something.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    log.configure("worker", settings.log_level)
    runtime = ThreadRuntime()
    sqs = aws.client(
        "sqs",
        settings.aws_region,
        connections=2 * settings.pollers,
        attempts=1,
        read_timeout=settings.receive_wait_seconds + aws.READ_TIMEOUT_SECONDS,
    )
    s3 = aws.client("s3", settings.aws_region, connections=settings.pollers * settings.receive_batch_size, attempts=1)
    worker = Worker(
        Queue(sqs, settings, runtime),
        Store(s3, settings.bucket, settings.prefix),
        Heartbeat(settings.heartbeat_file.touch, settings.heartbeat_seconds, runtime),
        settings,
        runtime,
    )
    worker.start()
    signal.sigwait(_SIGNALS)
    worker.stop()
    return 0 if worker.wait_stopped(settings.stop_timeout_seconds) else 1


if __name__ == "__main__":
    sys.exit(main(Settings.from_environment()))
