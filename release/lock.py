"""One deployment at a time in an environment, and what is known of one that was interrupted.

An object beside the states says which deployment is under way. It is written by conditional requests alone, so of two
at once one is refused: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
Terraform's own lock keeps two from writing one state; this one keeps the whole of a deployment together, and remembers
the image to go back to until a verdict is there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from release.errors import Busy

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

KEY = "deployment.json"
LEASE_SECONDS = 900.0
_REFUSED = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True)
class Record:
    """A deployment: of what, by whom, what ran `before` (a digest, None for nothing), until when it is alone (Unix
    seconds)."""

    service: str
    version: str
    digest: str
    before: str | None
    who: str
    until: float


def succeed(found: Record | None, wanted: Record, now: float) -> Record:
    """The record to be written over the one that was found. Raises Busy.

    Whoever goes on with an interrupted deployment goes back, if need be, to what ran before that one.
    """
    if found is None:
        return wanted
    if found.until > now:
        raise Busy(
            f"a deployment of {found.service} {found.version} by {found.who} is under way; "
            f"wait for it. Should it have died, this can be said again in {found.until - now:.0f} s"
        )
    if found.service != wanted.service:
        raise Busy(
            f"a deployment of {found.service} {found.version} by {found.who} was interrupted, and nobody knows how it "
            f"stands; first run it again: `python -m release deploy {found.service} {found.version}`"
        )
    return replace(wanted, before=found.before)


class Lock:
    """The lock of one environment, in the bucket of its states; whoever has it has it for `lease` seconds at a time."""

    def __init__(self, s3: S3Client, bucket: str, now: Callable[[], float], lease: float = LEASE_SECONDS) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._now = now
        self.lease = lease

    @contextmanager
    def held(self, wanted: Record) -> Iterator[Held]:
        """Inside, nobody else deploys, however long it takes. Raises Busy.

        It is given back when the block ends. When an exception ends it, the record stays, for whoever goes on.
        """
        found, etag = self._found()
        record = replace(succeed(found, wanted, self._now()), until=self._now() + self.lease)
        held = Held(self, record, self.write(record, etag))
        try:
            with held.kept():
                yield held
        except BaseException:
            held.renew(0)
            raise
        self._s3.delete_object(Bucket=self._bucket, Key=KEY)

    def write(self, record: Record, etag: str | None) -> str:
        """Replaces the object with this ETag, or none if there is to be none; the new ETag. Raises Busy."""
        body = json.dumps(asdict(record)).encode()
        try:
            if etag is None:
                answer = self._s3.put_object(Bucket=self._bucket, Key=KEY, Body=body, IfNoneMatch="*")
            else:
                answer = self._s3.put_object(Bucket=self._bucket, Key=KEY, Body=body, IfMatch=etag)
        except ClientError as error:
            if error.response["Error"]["Code"] in _REFUSED:
                raise Busy("another deployment began at the very same time; look at it, and say this again") from None
            raise
        return answer["ETag"]

    def now(self) -> float:
        """Unix seconds."""
        return self._now()

    def _found(self) -> tuple[Record | None, str | None]:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=KEY)
        except self._s3.exceptions.NoSuchKey:
            return None, None
        return Record(**json.loads(answer["Body"].read())), answer["ETag"]


class Held:
    """The lock, held."""

    def __init__(self, lock: Lock, record: Record, etag: str) -> None:
        self.record = record
        self._lock = lock
        self._etag = etag
        self._one_at_a_time = threading.Lock()

    def renew(self, seconds: float | None = None) -> None:
        """Nobody else deploys for so long from now, by default for a lease. Raises Busy if somebody does."""
        with self._one_at_a_time:
            until = self._lock.now() + (self._lock.lease if seconds is None else seconds)
            self.record = replace(self.record, until=until)
            self._etag = self._lock.write(self.record, self._etag)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Inside, it is renewed again and again: a single step may take longer than a lease."""
        over = threading.Event()

        def keep() -> None:
            while not over.wait(self._lock.lease / 3):
                # Whoever holds it renews it before each step, and meets what lasts.
                with suppress(Busy, BotoCoreError, ClientError):
                    self.renew()

        thread = threading.Thread(target=keep, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
