"""The output of the command line: tables for a person, JSON for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper

from rich.console import Console
from rich.table import Table
from rich.text import Text

_COLUMNS_OF_A_FILE = 160


def escape_what_the_terminal_lacks() -> None:
    """Makes standard output and error print a character that they cannot show as an escape such as `\\u017c`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Report:
    """Prints results on standard output, progress and hints on standard error."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        # Subjects and file names may contain brackets, which rich would read as markup.
        self._out = Console(
            highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _COLUMNS_OF_A_FILE
        )
        self._err = Console(stderr=True, highlight=False, markup=False, emoji=False)

    def table(self, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
        """Prints rows by column name. JSON shows every value of a row, the table only the given columns."""
        if self._as_json:
            self._json(rows)
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*(_cell(row[column]) for column in columns))
        self._out.print(table)

    def facts(self, facts: Mapping[str, object]) -> None:
        """Prints named values."""
        if self._as_json:
            self._json(facts)
            return
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, value in facts.items():
            table.add_row(name.replace("_", " "), _cell(value))
        self._out.print(table)

    def lines(self, lines: Sequence[str]) -> None:
        """Prints the lines of a text."""
        if self._as_json:
            self._json(lines)
            return
        for line in lines:
            self._out.print(line, soft_wrap=True)

    def hint(self, text: str) -> None:
        """Prints advice for a person. With `--json` prints nothing."""
        if not self._as_json:
            self._err.print(text, style="dim", soft_wrap=True)

    @contextmanager
    def progress(self, text: str) -> Iterator[Callable[[str], None]]:
        """Shows progress: on a terminal one line that changes, elsewhere one line for each step."""
        if not self._err.is_terminal:
            yield partial(self._err.print, soft_wrap=True)
            return
        with self._err.status(Text(text)) as status:
            yield lambda more: status.update(Text(more))

    def _json(self, value: object) -> None:
        print(json.dumps(value, ensure_ascii=False, indent=2, default=list))


def _cell(value: object) -> str | Text:
    match value:
        case bool():
            return "yes" if value else Text("no", style="red")
        case tuple() | list():
            return ", ".join(map(str, value))
        case dict():
            return "\n".join(f"{name}: {each}" for name, each in value.items())
        case _:
            return str(value)
