"""The lock of an environment, in a bucket."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from release.errors import Busy
from release.lock import KEY, Lock, Record
from sim.host.waiting import until
from tests.cloud.shared import Client
from tests.release.conftest import Place

MINE = Record("ann", "one run", "api", "1.0.0", "sha256:1")
OTHERS = Record("ben", "another run", "api", "1.0.0", "sha256:1")


class AnswersLost:
    """A client of S3 none of whose answers arrives at first: as botocore does, it sends every PUT again."""

    def __init__(self, s3: Client) -> None:
        self._s3 = s3

    def put_object(self, **request: Any) -> Any:
        self._s3.put_object(**request)
        return self._s3.put_object(**request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)


class Failing:
    """A client of S3 whose PUTs raise `error` once there is one."""

    error: Exception | None = None

    def __init__(self, s3: Client) -> None:
        self._s3 = s3

    def put_object(self, **request: Any) -> Any:
        if self.error is not None:
            raise self.error
        return self._s3.put_object(**request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)


def lock(place: Place, s3: Any = None, **settings: float) -> Lock:
    place.now = time.time
    return Lock(s3 or place.aws("s3"), place.states, time.time, time.sleep, progress=print, **settings)


def record(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.aws("s3").get_object(Bucket=place.states, Key=KEY)["Body"].read())
    return found


def test_a_step_that_takes_longer_than_a_lease_does_not_lose_it(place: Place) -> None:
    with lock(place, lease=1).held(MINE) as held:
        held.begin("sha256:0")
        first = float(record(place)["until"])
        until(lambda: time.time() > first, "the first lease to be over", seconds=10, seen=time.time)
        assert record(place)["until"] > time.time()
        assert record(place)["before"] == "sha256:0"
        with pytest.raises(Busy, match="by ann is under way"), lock(place).held(OTHERS):
            pass
    with lock(place).held(OTHERS):
        pass
    assert not place.locked()


def test_a_request_whose_answer_was_lost_is_no_other_run(place: Place) -> None:
    with lock(place, AnswersLost(place.aws("s3"))).held(MINE) as held:
        held.begin("sha256:0")
        held.renew()
        assert record(place)["before"] == "sha256:0"
    assert not place.locked()


def test_what_another_run_has_written_meanwhile_stays(place: Place) -> None:
    with lock(place).held(MINE) as held:
        theirs = json.dumps({"who": "ben", "holder": "another run", "until": time.time() + 60})
        place.aws("s3").put_object(Bucket=place.states, Key=KEY, Body=theirs)
        with pytest.raises(Busy, match="another run has taken the lock"):
            held.renew()
    assert record(place)["who"] == "ben"


def test_a_lock_that_cannot_be_given_back_is_reported_and_hides_nothing(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = ClientError({"Error": {"Code": "InternalError", "Message": "not now"}}, "PutObject")
    s3 = Failing(place.aws("s3"))
    with lock(place, s3, lease=60).held(MINE) as held:
        held.begin("sha256:0")
        s3.error = refused
    assert re.search(r"not given back, and ends by itself in (60|59) s: .*not now", capsys.readouterr().out)


def test_an_error_inside_is_the_one_that_is_raised_though_the_lock_cannot_be_given_back(place: Place) -> None:
    def work() -> None:
        with lock(place).held(MINE):
            place.aws("s3").put_object(Bucket=place.states, Key=KEY, Body="{}")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()


def test_a_record_that_nobody_understands_is_an_error_with_the_remedy(place: Place) -> None:
    place.aws("s3").put_object(Bucket=place.states, Key=KEY, Body="no JSON")
    with pytest.raises(Busy, match=r"is no record of a deployment.*remove it if"), lock(place).held(MINE):
        pass
