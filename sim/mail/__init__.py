"""Real e-mails, from the files in which mail programs keep them, as the e-mails that the API takes.

for found in read(Path("inbox.mbox")):
    match found.result:
        case UnreadableMail() as reason: ...
        case email: ...
"""

from __future__ import annotations

from pathlib import Path

from sim.mail.parse import UnreadableMail, parse
from sim.mail.sources import Found, read

SAMPLES = Path(__file__).parent / "samples"
"""A folder of e-mails to show the kit with: `.eml` files and an mbox. One of them cannot be published."""

__all__ = ["SAMPLES", "Found", "UnreadableMail", "parse", "read"]
