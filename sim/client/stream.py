"""`python -m sim.client.stream`: the sample e-mails, published over and over, for something to see.

The token is taken from the cloud that AWS_ENDPOINT_URL names. Subjects are printed, so it is for the samples alone,
which are nobody's mail.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from itertools import cycle
from pathlib import Path

from services.pipeline.aws import AWS_ERRORS
from services.pipeline.message import Email
from sim.client.api import Client, Published, publish_all
from sim.cloud.resources import data_plane_of
from sim.errors import SimError
from sim.mail import SAMPLES, read


def line(published: Published[Email]) -> str:
    """What became of one e-mail, such as `accepted  0f3a...  Tea on Saturday`."""
    answer = published.answer
    outcome = f"accepted  {answer.message_id}" if answer.accepted else f"not accepted  {answer.why()}"
    return f"{outcome}  {published.name.email_subject}"


def stream(client: Client, rate: float, accepted: Path) -> None:
    """Publishes without an end; touches the file `accepted` whenever an e-mail is."""
    samples = [found.result for found in read(SAMPLES) if isinstance(found.result, Email)]
    for published in publish_all(client, ((email, email) for email in cycle(samples)), concurrency=1, rate=rate):
        print(line(published), flush=True)
        if published.answer.accepted:
            accepted.touch()


def main() -> int:
    """Runs the command line, until SIGTERM; the e-mail in hand then is published still."""
    parser = argparse.ArgumentParser(
        prog="python -m sim.client.stream", description="Publishes the sample e-mails without end."
    )
    parser.add_argument("--url", required=True, help="of the API")
    parser.add_argument("--rate", type=float, required=True, help="e-mails a second; 0 is as fast as they are accepted")
    parser.add_argument("--accepted", type=Path, required=True, help="a file to touch whenever one is")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        stream(Client(options.url, data_plane_of(os.environ).token()), options.rate, options.accepted)
    except (*AWS_ERRORS, SimError) as error:
        print(f"sim.client.stream: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
