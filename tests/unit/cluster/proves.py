"""The mark of a test that proves rules of the cluster: `@proves(the_function)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def proves(*rules: Callable[..., Any]) -> pytest.MarkDecorator:
    """The mark. pytest.mark.proves(function) would mark the function: a lone one is taken for the test."""
    return pytest.mark.proves.with_args(*rules)
