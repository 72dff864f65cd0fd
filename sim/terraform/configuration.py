"""Reads what the files of a root say of its state: the backend, the states that it reads, the buckets that it makes.

Values that are not literal are patterns: what Terraform fills in may be anything.
https://developer.hashicorp.com/terraform/language/backend
https://developer.hashicorp.com/terraform/language/state/remote-state-data
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import hcl2

from sim.errors import SimError

REMOTE_STATE: Final = "terraform_remote_state"
_INTERPOLATION: Final = re.compile(r"\$\{[^}]*\}")
_OUTSIDE: Final = re.compile(r'"(?:\$\{path\.(?:module|root)\}/)?((?:\.{1,2}/)*\.\./[^"$]*)"')
_WHERE: Final = ("key", "path", "prefix", "address")
"""The settings that tell two states of one backend apart."""


class Unreadable(SimError):
    """A file of Terraform has a syntax error."""


@dataclass(frozen=True)
class StatePlace:
    """Where a state is: the kind of its backend, and the settings that are texts, as patterns by name."""

    kind: str
    settings: Mapping[str, str]

    def may_be(self, other: StatePlace) -> bool:
        """True if both may be the same state, and one of the settings that tell states apart says so."""
        if self.kind != other.kind:
            return False
        shared = self.settings.keys() & other.settings.keys()
        return any(name in shared for name in _WHERE) and all(
            _matches(self.settings[name], other.settings[name])
            for name in shared & {"bucket", "container", "storage_account_name", *_WHERE}
        )


@dataclass(frozen=True)
class Configuration:
    """What the files of one root say. `reads` are the places of the states that it reads, by the data source's name."""

    folder: Path
    backend: StatePlace | None
    reads: Mapping[str, StatePlace]
    buckets: frozenset[str]
    """The names of the S3 buckets that it makes, as far as they are literal."""
    profiles: frozenset[str]
    """The profiles of AWS that its providers name."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The types of the variables that it declares, by name, as Terraform's expressions; "" where none is declared."""

    @property
    def state_bucket(self) -> str | None:
        """The bucket of its state, if its backend is S3 and names one."""
        named = self.backend.settings.get("bucket") if self.backend and self.backend.kind == "s3" else None
        return named if named and not _INTERPOLATION.search(named) else None


def configuration(folder: Path) -> Configuration:
    """Reads a root. Raises Unreadable."""
    backend: StatePlace | None = None
    reads: dict[str, StatePlace] = {}
    buckets: set[str] = set()
    profiles: set[str] = set()
    variables: dict[str, str] = {}
    for file in map(_read, sorted(folder.glob("*.tf"))):
        for _, body in _blocks(file, "terraform"):
            backend = _backend(body, folder) or backend
        for labels, body in _blocks(file, "data"):
            if labels[0] == REMOTE_STATE:
                kind = unquoted(str(body.get("backend", "")))
                reads[labels[1]] = _place(kind, body.get("config") or {}, folder)
        buckets |= {
            _text(body["bucket"])
            for labels, body in _blocks(file, "resource")
            if labels[0] == "aws_s3_bucket" and "bucket" in body
        }
        profiles |= {_text(body["profile"]) for _, body in _blocks(file, "provider") if "profile" in body}
        variables |= {name: _expression(body.get("type", "")) for (name,), body in _blocks(file, "variable")}
    return Configuration(folder, backend, reads, _literal(buckets), _literal(profiles), variables)


def referenced(folder: Path) -> set[Path]:
    """The files and folders beside or above the folder that its files name, such as modules, and what those name."""
    found: set[Path] = set()
    waiting = [folder]
    while waiting:
        module = waiting.pop()
        for file in module.glob("*.tf"):
            for name in _OUTSIDE.findall(file.read_text(errors="replace")):
                path = (module / name).resolve()
                if path.exists() and path not in found:
                    found.add(path)
                    waiting += [path] if path.is_dir() else []
    return found


def blocks(file: Path, kind: str) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """The top-level blocks of a kind, such as `module` or `resource`: their labels, and their attributes by name.

    Raises Unreadable.
    """
    yield from _blocks(_read(file), kind)


def unquoted(text: str) -> str:
    """The value of a literal string; any other expression unchanged."""
    return text.removeprefix('"').removesuffix('"')


def _read(file: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = hcl2.loads(file.read_text())
    except Exception as error:  # the parser raises errors of its own parser generator
        raise Unreadable(f"{file} cannot be read: {error}\n`terraform validate` says more") from None
    return read


def _blocks(read: Mapping[str, Any], kind: str) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for block in read.get(kind, []):
        labels: list[str] = []
        body = block
        while "__is_block__" not in body:
            (label, body), *_ = body.items()
            labels.append(unquoted(label))
        yield tuple(labels), {name: value for name, value in body.items() if not name.startswith("__")}


def _backend(body: Mapping[str, Any], folder: Path) -> StatePlace | None:
    if "cloud" in body:
        return StatePlace("remote", {})
    for each in body.get("backend", ()):
        [(kind, settings)] = each.items()
        return _place(unquoted(kind), settings, folder)
    return None


def _place(kind: str, settings: object, folder: Path) -> StatePlace:
    given = settings if isinstance(settings, Mapping) else {}
    texts = {unquoted(name): _text(value) for name, value in given.items() if isinstance(value, str)}
    if kind == "local" and "$" not in texts.get("path", "$"):
        texts["path"] = str((folder / texts["path"]).resolve())
    return StatePlace(kind, texts)


def _text(value: str) -> str:
    return unquoted(str(value))


def _literal(texts: set[str]) -> frozenset[str]:
    return frozenset(each for each in texts if "$" not in each)


def _expression(value: object) -> str:
    return str(value).removeprefix("${").removesuffix("}")


def _matches(one: str, other: str) -> bool:
    return any(re.fullmatch(_pattern(first), second) for first, second in ((one, other), (other, one)))


def _pattern(text: str) -> str:
    return ".*".join(map(re.escape, _INTERPOLATION.split(text)))
