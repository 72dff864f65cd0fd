"""Keeps what the agent knows of its tasks in a file, so that an agent that is started again goes on with them."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from sim.agent.local import Local

_LOCAL = TypeAdapter(Local)


class Journal:
    """A file with the agent's knowledge, which is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: Local | None = None

    def read(self) -> Local:
        """What was written last; nothing if that is nothing. Raises pydantic.ValidationError."""
        return _LOCAL.validate_json(self._path.read_bytes()) if self._path.exists() else Local()

    def write(self, local: Local) -> None:
        """Writes what is not written yet."""
        if local is not self._written and local != self._written:
            new = self._path.with_suffix(".new")
            new.write_bytes(_LOCAL.dump_json(local))
            new.replace(self._path)
            self._written = local
