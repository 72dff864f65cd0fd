"""The law of a patch: it makes of the one object the other."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sim.watch.difference import difference

OBJECTS = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
).map(lambda value: value if isinstance(value, dict) else {"a": value})


def patched(target: Any, patch: Any) -> Any:
    """The algorithm of RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result


@given(OBJECTS, OBJECTS)
def test_a_patch_makes_of_one_object_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert patched(before, difference(before, after)) == after


@given(OBJECTS)
def test_there_is_no_difference_between_the_same(value: dict[str, Any]) -> None:
    assert difference(value, value) == {}
