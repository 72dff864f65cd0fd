"""What runs as a process in place of an image: the caller names a program for each repository, or for each image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sim.agent.local import Binding
from sim.cloud.registry.source_image import Source
from sim.errors import SimError


class BadPrograms(SimError):
    """The file with the programs cannot be read."""


@dataclass(frozen=True)
class Program:
    """A command with its folder.

    `environment` wins over the definition's: it has what a process needs in place of a container's
    own network and file system. In it and in the command, `{port:8080}` is the port of this machine at which the
    process is to listen for its container port 8080, and `{directory}` a folder of its own. `{source}` is the folder of
    a version that is registered in ECR without an image.
    """

    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)


_PROGRAMS = TypeAdapter(dict[str, Program])


def read(path: Path) -> Mapping[str, Program]:
    """The programs by image, repository or registered service, from a JSON file. Raises BadPrograms."""
    try:
        return _PROGRAMS.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadPrograms(f"cannot read the programs in {path}: {error}") from None


def write(path: Path, programs: Mapping[str, Program]) -> None:
    """Writes the file that `read` reads."""
    path.write_bytes(_PROGRAMS.dump_json(dict(programs)))


def find(programs: Mapping[str, Program], image: str) -> Program | None:
    """The program for an image: the image's own, with or without its registry, before that of its repository."""
    return next((programs[name] for name in _names(image) if name in programs), None)


def of_source(programs: Mapping[str, Program], source: Source) -> Program | None:
    """The program for a source that is registered as a version: its service's, with the source's folder."""
    program = programs.get(source.service)
    if program is None:
        return None

    def placed(text: str) -> str:
        return text.replace("{source}", str(source.folder))

    environment = {name: placed(value) for name, value in program.environment.items()}
    return Program(tuple(map(placed, program.command)), Path(placed(str(program.directory))), environment)


def filled(text: str, bindings: tuple[Binding, ...], directory: Path) -> str:
    """The text with the ports and the folder of one process."""
    for each in bindings:
        text = text.replace(f"{{port:{each.container_port}}}", each.address.rpartition(":")[2])
    return text.replace("{directory}", str(directory))


def _names(image: str) -> Iterator[str]:
    registry, slash, rest = image.partition("/")
    is_registry = bool(slash) and ("." in registry or ":" in registry or registry == "localhost")
    name = rest if is_registry else image
    by_digest = name.partition("@")[0]
    head, _, last = by_digest.rpartition("/")
    repository = f"{head}/{last.partition(':')[0]}".removeprefix("/")
    yield from (image, name, repository)
