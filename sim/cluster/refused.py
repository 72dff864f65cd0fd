"""What an AWS operation answers when it refuses a request."""

from __future__ import annotations


class Refused(ValueError):
    """AWS refuses the request, with AWS's error code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
