"""The API's settings."""

from __future__ import annotations

from pydantic import Field

from services.pipeline.settings import ServiceSettings

# A character of the message takes six bytes at most in the request, as \uXXXX.
_ESCAPED = 6
_OVERHEAD_BYTES = 65_536


class Settings(ServiceSettings):
    """The API's settings. Times in seconds, sizes in bytes."""

    token_parameter: str = Field(min_length=1, description="name of the SSM parameter that holds the token")
    token_cache_seconds: float = Field(60, gt=0, description="how long a token read from SSM is good")
    message_max_bytes: int = Field(
        1_048_576, ge=1024, le=1_048_576, description="what SQS takes in one message and in one batch"
    )
    batch_linger_seconds: float = Field(
        0.002, ge=0, le=0.1, description="how long a batch waits for company while other batches are under way"
    )
    host: str = "0.0.0.0"  # noqa: S104 - in its container; the security group decides who comes near
    port: int = Field(8080, ge=1, le=65535)
    connections: int = Field(2048, ge=1, le=65_536, description="open connections of clients, in each process")
    body_seconds: float = Field(20, gt=0, description="in which a request's body must have arrived")
    keep_alive_seconds: float = Field(75, gt=0, description="longer than the load balancer's idle timeout of 60")
    drain_seconds: float = Field(
        1, ge=0, description="after SIGTERM: how long /health says 503 before the listener closes"
    )

    @property
    def body_max_bytes(self) -> int:
        """The longest body that is read: of the longest message, each character escaped, and names and the token."""
        return self.message_max_bytes * _ESCAPED + _OVERHEAD_BYTES
