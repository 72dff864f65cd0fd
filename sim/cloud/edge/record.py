"""What a request or connection came to, for the access log and the metrics."""

from __future__ import annotations

from dataclasses import dataclass

NOTHING = -1.0
"""A time that there is none of."""


@dataclass(slots=True)
class Record:
    """Grows while the request is under way. Times are Unix seconds, durations seconds, sizes bytes of bodies."""

    began: float
    target: str = "-"
    """The address of the instance, HOST:PORT."""
    request_seconds: float = NOTHING
    """Until the request was sent to the instance."""
    target_seconds: float = NOTHING
    """From then to the head of the answer."""
    answered_at: float = 0.0
    """When the head of the answer came."""
    ended: float = 0.0
    status: int = 0
    """That the client got; 0 if it got none."""
    target_status: int = 0
    """That the instance answered with; 0 if it did not."""
    action: str = ""
    """Of an ALB: the type of the rule's action."""
    group: str = ""
    """Of an ALB: the ARN of the target group."""
    chosen: bool = False
    """Of an ALB: True if a target was chosen."""
    received: int = 0
    sent: int = 0

    def sent_to(self, target: str, at: float) -> None:
        """The request went to this instance."""
        self.target = target
        self.request_seconds = at - self.began

    def answered(self, status: int, at: float, sent_at: float) -> None:
        """The instance has answered."""
        self.status = self.target_status = status
        self.target_seconds = at - sent_at
        self.answered_at = at

    def refused(self, status: int) -> None:
        """The balancer answered in its place."""
        self.status = status
        self.target_seconds = NOTHING
        self.target_status = 0
