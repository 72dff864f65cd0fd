"""Fetches the cluster's desired state from the control plane."""

from __future__ import annotations

from urllib.parse import urlencode

from pydantic import TypeAdapter

from sim.cluster.desired import Desired

PATH = "/_sim/cluster/desired"
"""The control plane's route. With `after`, it answers when the revision is another, or `WAIT_SECONDS` are over."""
WAIT_SECONDS = 20.0

_STATE = TypeAdapter(Desired)


def path(after: int | None) -> str:
    """The path and query that ask for the state after this revision; None asks for the state as it is."""
    return PATH if after is None else f"{PATH}?{urlencode({'after': after})}"


def parsed(body: bytes) -> Desired:
    """The state in an answer. Raises pydantic.ValidationError."""
    return _STATE.validate_json(body)
