"""What is started and ended here: a context manager, up inside of its block and gone after."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class UpAndDown(ABC):
    """Up and ready inside of the block, and gone without a trace after, also if it came up only in part."""

    @abstractmethod
    def up(self) -> None:
        """Starts it; returns when it is ready. Raises SimError."""

    @abstractmethod
    def down(self) -> None:
        """Ends it, and removes whatever it made."""

    def __enter__(self) -> Self:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.down()
