"""One change of an environment at a time, and what is known of a deployment that was interrupted.

An object beside the states says who changes the environment, or who did last. It is written by conditional requests
alone, so of two at once one is refused: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
Terraform's own lock keeps two from writing one state; this one keeps the whole of a deployment together, keeps
deployments and applies of the roots apart, and remembers the image to go back to until a deployment has ended.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from release.aws import AWS_ERRORS
from release.errors import Busy, ReleaseError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

KEY = "deployment.json"
LEASE_SECONDS = 900.0
POLL_SECONDS = 15.0
_REFUSED = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True)
class Record:
    """Who changes an environment, and until when nobody else may (Unix seconds).

    A deployment names its service, version and digest, and once it is `changing` something what ran `before`: a digest,
    None for nothing. An apply of roots names no service. `holder` is different for every run.
    """

    who: str
    holder: str
    service: str = ""
    version: str = ""
    digest: str = ""
    before: str | None = None
    changing: bool = False
    until: float = 0

    def __str__(self) -> str:
        what = f"a deployment of {self.service} {self.version}" if self.service else "an apply of the roots"
        return f"{what} by {self.who}"


def succeed(found: Record | None, wanted: Record, now: float) -> Record:
    """The record to be written over the one that was found. Raises Busy.

    Whoever goes on with an interrupted deployment goes back, if need be, to what ran before that one.
    """
    if found is None:
        return wanted
    if found.until > now:
        raise Busy(
            f"{found} is under way; wait for it. If it has died, try again in {found.until - now:.0f} s",
            passes=True,
        )
    if not found.changing:
        return wanted
    if found.service != wanted.service:
        raise Busy(
            f"{found} was interrupted, and nobody knows how it stands; "
            f"first run it again: `python -m release deploy {found.service} {found.version}`"
        )
    return replace(wanted, before=found.before, changing=True)


class Lock:
    """The lock of one environment, in the bucket of its states; its holder has it for `lease` seconds at a time.

    `now` is Unix seconds. Whoever finds it taken tries again for `patience` seconds. `progress` reports what nobody
    has to act on.
    """

    def __init__(
        self,
        s3: S3Client,
        bucket: str,
        now: Callable[[], float],
        sleep: Callable[[float], None],
        *,
        progress: Callable[[str], None],
        patience: float = 0,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._sleep = sleep
        self._progress = progress
        self._patience = patience
        self.now = now
        self.lease = lease

    @contextmanager
    def held(self, wanted: Record) -> Iterator[Held]:
        """Inside, nobody else changes the environment, however long it takes. Raises Busy.

        It is given back when the block ends. When an exception ends a block that was changing something, the record
        stays, for whoever goes on.
        """
        held = self._wait(wanted)
        try:
            with held.kept():
                yield held
        except BaseException:
            # The block's own error is the one to show, and the lease ends by itself.
            with suppress(ReleaseError, *AWS_ERRORS):
                held.leave()
            raise
        # Whoever has taken it since has it.
        with suppress(Busy):
            self._give_back(held)

    def write(self, record: Record, etag: str | None) -> str:
        """Replaces the object with this ETag, or none if there is to be none; the new ETag. Raises Busy."""
        try:
            return self._put(record, etag)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSED:
                raise
        found, there = self._found()
        if found is None or found.holder != record.holder:
            raise Busy("another run has taken the lock in this very moment; look at it, and try again", passes=True)
        # The answer to an earlier request of ours was lost, and it was carried out.
        return there if found == record and there is not None else self._put(record, there)

    def _give_back(self, held: Held) -> None:
        """How the block ended is known, and counts, also if AWS does not take the lock back. Raises Busy."""
        try:
            held.release()
        except AWS_ERRORS as error:
            seconds = held.record.until - self.now()
            self._progress(f"the lock was not given back, and ends by itself in {seconds:.0f} s: {error}")

    def _wait(self, wanted: Record) -> Held:
        deadline = self.now() + self._patience
        while True:
            try:
                return self._take(wanted)
            except Busy as busy:
                if not busy.passes or self.now() >= deadline:
                    raise
            self._sleep(POLL_SECONDS)

    def _take(self, wanted: Record) -> Held:
        found, etag = self._found()
        record = replace(succeed(found, wanted, self.now()), until=self.now() + self.lease)
        return Held(self, record, self.write(record, etag))

    def _put(self, record: Record, etag: str | None) -> str:
        body = json.dumps(asdict(record)).encode()
        if etag is None:
            answer = self._s3.put_object(Bucket=self._bucket, Key=KEY, Body=body, IfNoneMatch="*")
        else:
            answer = self._s3.put_object(Bucket=self._bucket, Key=KEY, Body=body, IfMatch=etag)
        return answer["ETag"]

    def _found(self) -> tuple[Record | None, str | None]:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=KEY)
        except self._s3.exceptions.NoSuchKey:
            return None, None
        try:
            return Record(**json.loads(answer["Body"].read())), answer["ETag"]
        except (TypeError, ValueError) as error:
            raise Busy(
                f"s3://{self._bucket}/{KEY} is no record of a deployment ({error}); "
                "remove it if nobody deploys, and try again"
            ) from error


class Held:
    """The lock, held."""

    def __init__(self, lock: Lock, record: Record, etag: str) -> None:
        self.record = record
        self._lock = lock
        self._etag = etag
        self._one_at_a_time = threading.Lock()

    def begin(self, before: str | None) -> None:
        """From now on something is changed, and `before` ran until then. Raises Busy.

        Where an interrupted deployment is gone on with, what ran before that one stays.
        """
        if not self.record.changing:
            self._write(before=before, changing=True)

    def renew(self) -> None:
        """Nobody else changes the environment for a lease from now. Raises Busy if somebody does.

        A call that fails is no reason to stop while the lease lasts.
        """
        try:
            self._write()
        except AWS_ERRORS:
            if self._lock.now() >= self.record.until:
                raise

    def leave(self) -> None:
        """Gives it back; what is known of a deployment that was changing something stays. Raises Busy."""
        self._write(lease=0)

    def release(self) -> None:
        """Gives it back: nothing is under way. Raises Busy."""
        self._write(lease=0, changing=False)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Inside, it is renewed again and again: a single step may take longer than a lease."""
        over = threading.Event()

        def keep() -> None:
            while not over.wait(self._lock.lease / 3):
                # Whoever holds it renews it before each step, and meets what lasts.
                with suppress(Busy, *AWS_ERRORS):
                    self.renew()

        thread = threading.Thread(target=keep, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _write(self, lease: float | None = None, **changes: Any) -> None:
        with self._one_at_a_time:
            until = self._lock.now() + (self._lock.lease if lease is None else lease)
            record = replace(self.record, until=until, **changes)
            self._etag = self._lock.write(record, self._etag)
            self.record = record
