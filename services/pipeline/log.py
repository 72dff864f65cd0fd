"""JSON logs on standard output, one object a line. What a line contains is decided where it is written:
never a token, never what is in an e-mail.
"""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

# At DEBUG these write whole requests, tokens and e-mails with them.
_TALKATIVE = ("botocore", "boto3", "urllib3", "s3transfer")


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
    logging.root.handlers[:] = [output]
    logging.root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
