"""Who may deploy when a record of a deployment is there."""

from __future__ import annotations

import pytest

from release.errors import Busy
from release.lock import Record, succeed

NOW = 1000.0


def record(service: str = "api", version: str = "1.2.0", before: str | None = "sha256:old", until: float = 0) -> Record:
    return Record(service, version, f"sha256:{version}", before, "someone", until)


def test_where_there_is_none_the_wanted_one_is_written() -> None:
    assert succeed(None, record(), NOW) == record()


def test_one_that_is_under_way_is_not_disturbed() -> None:
    with pytest.raises(Busy, match=r"api 1\.2\.0 by someone is under way.*again in 60 s"):
        succeed(record(until=NOW + 60), record(), NOW)


@pytest.mark.parametrize("version", ["1.2.0", "1.2.1"])
def test_an_interrupted_one_is_gone_on_with_and_what_ran_before_it_is_not_forgotten(version: str) -> None:
    written = succeed(record(before="sha256:good"), record(version=version, before="sha256:1.2.0"), NOW)
    assert (written.version, written.before) == (version, "sha256:good")


def test_an_interrupted_one_of_the_other_service_comes_first() -> None:
    with pytest.raises(Busy, match=r"interrupted.*release deploy worker 1\.2\.0"):
        succeed(record(service="worker"), record(), NOW)
