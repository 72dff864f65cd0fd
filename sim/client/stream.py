"""`python -m sim.client.stream`: a few e-mails, published over and over, for something to see.

The token is taken from the cloud that AWS_ENDPOINT_URL names. The e-mails are written here, so that this runs on a
service's image, which has nothing that reads mail.
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
from sim.client.api import Client
from sim.client.bulk import Published, publish_all
from sim.cloud.resources import data_plane_of
from sim.errors import SimError

EMAILS = [
    Email(email_subject=subject, email_sender=sender, email_timestream=sent, email_content=content)
    for subject, sender, sent, content in (
        ("Tea on Saturday", "Ann <ann@example.com>", "1693561101", "At five, in the garden?\n"),
        ("Re: Tea on Saturday", "Jörg <joerg@example.com>", "1693561640", "Gern! Ich bringe Kuchen mit.\n"),
        ("お花見の写真", "Yuki <yuki@example.com>", "1711846800", "昨日の写真です。\n"),
        ("Drei 🚲 zu verschenken", "Zoë <zoe@example.com>", "1715072400", "Zwei große und ein kleines.\n"),
    )
]


def line(published: Published[Email]) -> str:
    """What became of one e-mail, such as `accepted  0f3a...  Tea on Saturday`."""
    answer = published.answer
    outcome = f"accepted  {answer.message_id}" if answer.accepted else f"not accepted  {answer.why()}"
    return f"{outcome}  {published.name.email_subject}"


def stream(client: Client, rate: float, accepted: Path) -> None:
    """Publishes without an end; touches the file `accepted` whenever an e-mail is."""
    for published in publish_all(client, ((email, email) for email in cycle(EMAILS)), concurrency=1, rate=rate):
        print(line(published), flush=True)
        if published.answer.accepted:
            accepted.touch()


def main() -> int:
    """Runs the command line, until SIGTERM; the e-mail in hand then is published still."""
    parser = argparse.ArgumentParser(
        prog="python -m sim.client.stream", description="Publishes a few e-mails without end."
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
