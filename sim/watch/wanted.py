"""What a page can ask to be done: one value for each act, read from JSON. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from sim.errors import SimError
from sim.faults.plan import AwsService, FaultPlan, Rule, dump, parse

_STRICT = ConfigDict(extra="forbid")
Name = Annotated[str, Field(min_length=1, max_length=200)]
Caller = Literal["api", "worker"]


class BadAct(SimError):
    """A request asks for an act that there is not, or leaves something out."""


@dataclass(frozen=True, config=_STRICT)
class LoseTask:
    """Kill a task."""

    act: Literal["lose-task"]
    task: Name


@dataclass(frozen=True, config=_STRICT)
class StopTask:
    """Stop a task as StopTask does."""

    act: Literal["stop-task"]
    task: Name


@dataclass(frozen=True, config=_STRICT)
class StartTask:
    """Start a container that has ended."""

    act: Literal["start-task"]
    task: Name


@dataclass(frozen=True, config=_STRICT)
class PauseTask:
    """Freeze a container: it keeps its connections, and answers nothing."""

    act: Literal["pause-task"]
    task: Name


@dataclass(frozen=True, config=_STRICT)
class ResumeTask:
    """End the pause of a container."""

    act: Literal["resume-task"]
    task: Name


@dataclass(frozen=True, config=_STRICT)
class LoseInstance:
    """Cut an instance off."""

    act: Literal["lose-instance"]
    instance: Name


@dataclass(frozen=True, config=_STRICT)
class BringBack:
    """End the loss of an instance."""

    act: Literal["bring-back"]
    instance: Name


@dataclass(frozen=True, config=_STRICT)
class LoseZone:
    """Cut all instances of a zone off."""

    act: Literal["lose-zone"]
    zone: Name


@dataclass(frozen=True, config=_STRICT)
class LoseNat:
    """Lose the NAT gateway."""

    act: Literal["lose-nat"]


@dataclass(frozen=True, config=_STRICT)
class Drain:
    """Move the tasks of an instance elsewhere."""

    act: Literal["drain"]
    instance: Name


@dataclass(frozen=True, config=_STRICT)
class Activate:
    """End the drain of an instance."""

    act: Literal["activate"]
    instance: Name


@dataclass(frozen=True, config=_STRICT)
class Restore:
    """End all losses and drains."""

    act: Literal["restore"]


@dataclass(frozen=True, config=_STRICT)
class Scale:
    """Set the desired count of a service."""

    act: Literal["scale"]
    service: Name
    count: Annotated[int, Field(ge=0, le=1000)]


@dataclass(frozen=True, config=_STRICT)
class Deploy:
    """Deploy a version of a service; "" for a new one, made of the checkout."""

    act: Literal["deploy"]
    service: Name
    version: str = ""


@dataclass(frozen=True, config=_STRICT)
class Inject:
    """Let a fault hit the AWS calls of the services."""

    act: Literal["inject"]
    fault: Rule


@dataclass(frozen=True, config=_STRICT)
class EndFault:
    """End a fault of calls, by its rule as the picture has it."""

    act: Literal["end-fault"]
    rule: Name


@dataclass(frozen=True, config=_STRICT)
class Cut:
    """Cut a service off from an AWS service."""

    act: Literal["cut"]
    caller: Caller
    aws: AwsService


@dataclass(frozen=True, config=_STRICT)
class Mend:
    """End a cut, by the gateway's port."""

    act: Literal["mend"]
    port: Name


OfCluster = LoseTask | StopTask | LoseInstance | BringBack | LoseZone | Drain | Activate | Restore | Scale
OfPipeline = LoseNat | Deploy
"""On the cluster of the pipeline alone."""
OfCalls = Inject | EndFault | Cut | Mend
OfContainers = StopTask | LoseTask | StartTask | PauseTask | ResumeTask
"""On services that are containers and no tasks of a cluster."""
Wanted = OfCluster | OfPipeline | OfCalls | OfContainers

_WANTED: Final[TypeAdapter[Wanted]] = TypeAdapter(Annotated[Wanted, Field(discriminator="act")])


def names(kinds: object) -> tuple[str, ...]:
    """The names of the acts in a union of them."""
    return tuple(get_args(get_type_hints(each)["act"])[0] for each in get_args(kinds))


def read(body: bytes) -> Wanted:
    """The act that a request's body asks for. Raises BadAct, or BadPlan for a fault that lacks something."""
    try:
        wanted = _WANTED.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise BadAct(f"not an act: {where}: {first['msg']}") from None
    if isinstance(wanted, Inject):
        parse(dump(FaultPlan((wanted.fault,))))
    return wanted
