"""What has changed from one JSON object to another, as a JSON Merge Patch. Pure.

https://www.rfc-editor.org/rfc/rfc7396: a member of the patch replaces that of the object, null removes it. Neither
object may have a null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that makes `after` of `before`; empty if they are the same."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for name, value in after.items():
        there = before.get(name)
        if isinstance(value, Mapping) and isinstance(there, Mapping):
            if inner := difference(there, value):
                patch[name] = inner
        elif there != value:
            patch[name] = value
    return patch
