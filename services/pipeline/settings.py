"""Settings: read once, from the environment, checked before anything starts."""

from __future__ import annotations

import sys
from typing import Literal, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """The settings of every service. A field `queue_url` is read from the environment variable `QUEUE_URL`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    aws_region: str = Field(min_length=1)
    queue_url: str = Field(pattern="^https?://")
    processes: int = Field(2, ge=1, le=16, description="one for each core that it may use; Python uses one at a time")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def from_environment(cls) -> Self:
        """The settings. Ends the process with status 2 and names every variable that is missing or wrong."""
        try:
            return cls()
        except ValidationError as error:
            print(f"{cls.__module__}: cannot start, the environment is not complete:", file=sys.stderr)
            for fault in error.errors(include_input=False):
                # What is wrong with several together has no place, and names them itself.
                name = "".join(f"{each}: " for each in fault["loc"]).upper()
                print(f"  {name}{fault['msg'].removeprefix('Value error, ')}", file=sys.stderr)
            raise SystemExit(2) from None
