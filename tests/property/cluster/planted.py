"""Looks for a program that shows a planted bug."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

import pytest
from hypothesis import find, settings
from hypothesis.errors import NoSuchExample
from hypothesis.strategies import SearchStrategy

Program = TypeVar("Program")


def breaks_a_law(
    name: str, programs: SearchStrategy[Program], broken_by: Callable[[Program], bool], search: settings
) -> None:
    """Fails unless one of the programs breaks a law while the rule of this name has a bug. The search is repeatable."""
    try:
        find(programs, broken_by, settings=search, random=Random(1))
    except NoSuchExample:
        pytest.fail(f"no program shows that {name} is wrong")
