"""What the caller adds to a plan: what the plan does not know, and how the application behaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from sim.cluster.cadence import AWS, Cadence
from sim.errors import SimError
from sim.prediction.scenario import INSTANCE_START, USUAL, Application, Seconds

_Value = TypeVar("_Value")


class NotKnown(SimError):
    """What matters for a rehearsal and is in none of the files: each with the flag that says it."""


class NotRehearsed(SimError):
    """A service whose deployments are not ECS's rolling update on container instances."""


@dataclass(frozen=True, slots=True)
class Answers:
    """None where the caller has said nothing. Times in seconds, CPU in units, memory in MiB."""

    instances: int | None = None
    instance_cpu: int | None = None
    instance_memory: int | None = None
    zones: int | None = None
    host_port: int | None = None
    cpu: int | None = None
    memory: int | None = None
    desired: int | None = None
    check_interval: float | None = None
    drain_timeout: float | None = None
    instance_start: Seconds = INSTANCE_START
    application: Application = USUAL
    cadence: Cadence = AWS


class Questions:
    """What is not known, gathered so that all of it is asked for at once."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}

    def ask(self, value: _Value | None, flag: str, what: str, instead: _Value) -> _Value:
        """The value; where there is none, the question is noted and something stands in for it."""
        if value is None:
            self._open[flag] = what
            return instead
        return value

    @property
    def open(self) -> bool:
        """True if something was asked for and is not known."""
        return bool(self._open)

    def settle(self, service: str) -> None:
        """Raises NotKnown with everything that was asked and has no answer."""
        if self._open:
            asked = "; ".join(f"{what}: say it with {flag}" for flag, what in self._open.items())
            raise NotKnown(
                f"service {service}: the files do not say everything ({asked}), or add the file of the root that does"
            )
