"""Roots are applied at once where possible, each after the roots that it needs."""

from __future__ import annotations

import threading

import pytest

from sim.errors import SimError
from sim.terraform.local_roots import Done, in_order

NEEDS = {"network": ("bootstrap",), "messaging": (), "cluster": ("network",), "api": ("cluster", "messaging")}


def test_each_root_comes_after_the_roots_that_it_needs() -> None:
    done = [each.root for each in in_order(NEEDS, lambda name: Done("applying", name, 0))]
    assert sorted(done) == sorted(NEEDS)
    assert done.index("network") < done.index("cluster") < done.index("api")
    assert done[-1] == "api"


def test_independent_roots_run_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(name: str) -> Done:
        if name in {"network", "messaging"}:
            both.wait()
        return Done("applying", name, 0)

    assert len(in_order(NEEDS, meet)) == len(NEEDS)


def test_after_an_error_no_root_starts_and_the_running_ones_end() -> None:
    begun, ended = threading.Event(), []

    def act(name: str) -> Done:
        if name == "network":
            begun.wait(10)
            raise SimError("no network")
        begun.set()
        ended.append(name)
        return Done("applying", name, 0)

    with pytest.raises(SimError, match="no network"):
        in_order(NEEDS, act)
    assert ended == ["messaging"]
