"""Who may change an environment when a record of a change is there."""

from __future__ import annotations

import pytest

from release.errors import Busy
from release.lock import Record, succeed

NOW = 1000.0


def record(
    service: str = "api",
    version: str = "1.2.0",
    before: str | None = "sha256:old",
    until: float = 0,
    changing: bool = True,
) -> Record:
    return Record("someone", "a run", service, version, f"sha256:{version}", before, changing, until)


ROOTS = Record("someone", "a run")


def test_where_there_is_none_the_wanted_one_is_written() -> None:
    assert succeed(None, record(), NOW) == record()


def test_one_that_is_under_way_is_not_disturbed() -> None:
    with pytest.raises(Busy, match=r"deployment of api 1\.2\.0 by someone is under way.*again in 60 s") as raised:
        succeed(record(until=NOW + 60), record(), NOW)
    assert raised.value.passes


@pytest.mark.parametrize("version", ["1.2.0", "1.2.1"])
def test_an_interrupted_one_is_gone_on_with_and_what_ran_before_it_is_not_forgotten(version: str) -> None:
    written = succeed(record(before="sha256:good"), record(version=version, before="sha256:1.2.0"), NOW)
    assert (written.version, written.before) == (version, "sha256:good")


@pytest.mark.parametrize("wanted", [record(), ROOTS])
def test_an_interrupted_one_of_the_other_service_comes_first(wanted: Record) -> None:
    with pytest.raises(Busy, match=r"interrupted.*release deploy worker 1\.2\.0") as raised:
        succeed(record(service="worker"), wanted, NOW)
    assert not raised.value.passes


@pytest.mark.parametrize("found", [record(service="worker", changing=False), ROOTS])
def test_one_that_ended_before_it_changed_a_service_is_forgotten(found: Record) -> None:
    assert succeed(found, record(), NOW) == record()


def test_an_apply_of_the_roots_keeps_deployments_away() -> None:
    with pytest.raises(Busy, match="an apply of the roots by someone is under way"):
        succeed(Record("someone", "a run", until=NOW + 60), record(), NOW)
