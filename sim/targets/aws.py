"""The target `aws`: a pipeline that is there already, behind a URL. Nothing is started, stopped or set.

    SIM_URL=https://... SIM_TOKEN=... pytest tests/e2e --target aws

With SIM_BUCKET, and credentials that may read and delete below SIM_PREFIX, tests look at what was stored as well, and
it is deleted in the end. Without, it stays; either way its sender says which run sent it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar, Self

import boto3

from release.aws import region
from services.pipeline.message import Email, Message
from services.worker.store import object_key
from sim.client.api import ApiAnswer, Client
from sim.cloud.resources import DataPlane, Resources
from sim.errors import SimError
from sim.host.waiting import TimedOut, until
from sim.targets.target import Capability, NotApplicable, Progress, Service, Target

_CLEAN_UP_SECONDS = 60


@dataclass(frozen=True)
class Place:
    """Where a pipeline is: the URL of its API, the token that it wants; where it stores, if tests may look there."""

    url: str
    token: str = field(repr=False)
    bucket: str | None = None
    prefix: str = "emails/"
    region: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """What SIM_URL, SIM_TOKEN, SIM_BUCKET and SIM_PREFIX say. Raises SimError."""
        lacking = [name for name in ("SIM_URL", "SIM_TOKEN") if not environ.get(name)]
        if lacking:
            raise SimError(
                f"{' and '.join(lacking)} not set: the target `aws` is a pipeline that runs somewhere; SIM_URL says "
                "where, such as https://emails.example.com, and SIM_TOKEN is the token that it wants"
            )
        return cls(
            environ["SIM_URL"].rstrip("/"),
            environ["SIM_TOKEN"],
            environ.get("SIM_BUCKET") or None,
            environ.get("SIM_PREFIX", "emails/"),
            region(environ),
        )


class AwsTarget(Target):
    """A pipeline of which nothing is known but its API."""

    name: ClassVar[str] = "aws"
    capabilities: ClassVar[frozenset[Capability]] = frozenset()

    def __init__(self, place: Place, progress: Progress) -> None:
        self.sender = f"End-to-end test <e2e-{uuid.uuid4().hex[:12]}@example.com>"
        self._place = place
        self._progress = progress

    def up(self) -> None:
        answer = self.client().request("GET", "/health")
        if answer.status != HTTPStatus.OK:
            raise SimError(f"{self.url}/health said {answer.why()}; is SIM_URL the URL of the API, without a path?")

    def down(self) -> None:
        self._progress(f"what was published stays; its sender is {self.sender}")

    @property
    def url(self) -> str:
        return self._place.url

    @property
    def data_plane(self) -> DataPlane:
        raise NotApplicable("the target `aws` sees nothing behind the API unless SIM_BUCKET says where it stores")

    def token(self) -> str:
        return self._place.token

    def logs(self) -> Mapping[str, str]:
        return {}

    def restore(self) -> None:
        """Does nothing, since tests change nothing here."""

    def runs(self, service: Service) -> bool:
        raise NotApplicable(f"the target `aws` cannot tell whether the {service} runs; ECS can")


class AwsTargetWithBucket(AwsTarget):
    """One whose stored e-mails can be read, and deleted in the end: those that came through it, and no others.

    A copy that SQS delivers after that is stored again, and stays.
    """

    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.OBJECTS})

    def __init__(self, place: Place, bucket: str, progress: Progress) -> None:
        super().__init__(place, progress)
        self._keys: set[str] = set()
        nothing = Resources("", "", bucket, place.prefix, "")
        self._stored = _Stored(nothing, boto3.Session(region_name=place.region), lambda: sorted(self._keys))

    @property
    def data_plane(self) -> DataPlane:
        return self._stored

    def client(self) -> Client:
        return _NotingClient(self.url, self.token(), self._note)

    def drain(self, seconds: float) -> None:
        """Returns when all that came through this target is stored. Raises TimedOut."""
        until(lambda: not self._missing(), "every accepted e-mail in S3", seconds=seconds, seen=self._missing)

    def down(self) -> None:
        self._progress("deleting what was published")
        try:
            self.drain(_CLEAN_UP_SECONDS)
        except TimedOut as error:
            self._progress(str(error))
        self._stored.delete(self._keys)

    def _note(self, message: Message) -> None:
        self._keys.add(object_key(self._place.prefix, message))

    def _missing(self) -> list[str]:
        return sorted(self._keys - set(self._stored.object_keys()))


class _NotingClient(Client):
    """Notes every message that the API accepts."""

    def __init__(self, url: str, token: str, note: Callable[[Message], None]) -> None:
        super().__init__(url, token)
        self._note = note

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> ApiAnswer:
        answer = super().request(method, path, body, headers)
        if path == "/publish" and answer.accepted:
            email = Email.model_validate(json.loads(body)["data"])
            self._note(Message(id=answer.message_id, received_at=0, data=email))
        return answer


class _Stored(DataPlane):
    """The bucket, as far as the keys go; the session's own credentials and endpoints."""

    def __init__(self, resources: Resources, session: boto3.Session, keys: Callable[[], list[str]]) -> None:
        super().__init__("", resources, session)
        self._keys = keys

    def object_keys(self) -> list[str]:
        return [key for key in self._keys() if self._there(key)]

    def dead_letters(self) -> Iterator[str]:
        """None: whoever looks at a dead letter hides it from others."""
        return iter(())

    def delete(self, keys: set[str]) -> None:
        for key in keys:
            self.s3.delete_object(Bucket=self.resources.bucket, Key=key)

    def _there(self, key: str) -> bool:
        # A role that may list no more than the prefix gets 403 from HeadObject for a key that is not there.
        found = self.s3.list_objects_v2(Bucket=self.resources.bucket, Prefix=key, MaxKeys=1)
        return any(each["Key"] == key for each in found.get("Contents", ()))
