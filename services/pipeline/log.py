"""JSON logs on standard output, one object a line. What a line may say is decided where it is written:
never a token, never what is in an e-mail.

One thread writes for all the others, which would otherwise wait for each other at the output.
"""

from __future__ import annotations

import logging
import queue
import sys
from logging.handlers import QueueHandler, QueueListener
from multiprocessing.util import Finalize

from pythonjsonlogger.json import JsonFormatter

# At DEBUG these write whole requests, tokens and e-mails with them.
_TALKATIVE = ("botocore", "boto3", "urllib3", "s3transfer")


class _Handover(QueueHandler):
    """Hands records on as they are. Others could be pickled, with the traceback written into the message."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


def configure(service: str, level: str) -> None:
    """Sends every log record to standard output as JSON: timestamp, level, logger, message, and what `extra` adds."""
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(
        JsonFormatter(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"service": service},
            timestamp=True,
        )
    )
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    writer = QueueListener(records, output)
    writer.start()
    # Unlike atexit, this is called at the end of a child process too.
    Finalize(None, writer.stop, exitpriority=0)
    logging.root.handlers[:] = [_Handover(records)]
    logging.root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
