"""The version of a service, from the file that its releases write."""

from __future__ import annotations

from pathlib import Path

_SERVICES = Path(__file__).resolve().parent.parent


def version(service: str) -> str:
    """The text of `services/<service>/version.txt`."""
    return (_SERVICES / service / "version.txt").read_text().strip()
