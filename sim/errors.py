"""The root of the kit's error tree."""

from __future__ import annotations


class SimError(Exception):
    """Anything the kit can say went wrong. The message says what failed, with what, and the remedy."""
