"""Deploys a version to the local cluster, by the code that deploys to production."""

from __future__ import annotations

import shlex
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from release.deploy import Deployer, Verdict
from release.ecr import Repository
from release.ecs import Service, Time
from release.lock import Lock
from release.smoke import place, smoke
from release.sources import SERVICES
from release.versions import Change, Version
from services.pipeline.version import version as version_of_checkout
from sim.cloud.aws_client import NO_FILES, REGION, local_session
from sim.cloud.registry.source_image import Source
from sim.errors import SimError
from sim.images.checkout import ROOT
from sim.images.commit import exported
from sim.images.source import copied
from sim.targets.publication import Publish, repository
from sim.terraform.local_roots import LocalRoots

_SMOKE = f"{shlex.quote(sys.executable)} -m pytest tests/e2e --target aws --quiet -p no:cacheprovider"


class NoSuchService(SimError):
    """There is no service of this name."""


@dataclass(frozen=True)
class LocalDeployment:
    """What deploys services to the local cluster.

    `url` is the load balancer's on this machine. `versions` is a folder for copies of the checkout, and `publish` makes
    ECR have one as a version. Each step goes to `progress`. `session` makes the clients of what deploys, by default
    with the account's keys, and the smoke test signs as they do; Terraform signs with the keys of `roots`.
    """

    endpoint: str
    url: str
    token: Callable[[], str]
    roots: LocalRoots
    versions: Path
    progress: Callable[[str], None]
    publish: Publish
    session: Callable[[], boto3.Session] = local_session

    def deploy(self, service: str, version: str | None = None, commit: str | None = None) -> Verdict:
        """Deploys a version that was registered, or a new one made of a commit or else of the checkout.

        Raises NoSuchService, OtherPackages, CommandFailed, ReleaseError, or what boto3 raises.
        """
        if service not in SERVICES:
            raise NoSuchService(f"there is no service {service!r}; there are: {', '.join(SERVICES)}")
        wanted = version or (self.made_of_commit(service, commit) if commit else self.made_of_checkout(service))
        return self._deployer(service).deploy(wanted, "sim deploy", uuid.uuid4().hex)

    def made_of_checkout(self, service: str, change: Callable[[Path], None] = lambda _: None) -> str:
        """Copies the services of the checkout, and registers the copy as the next version. Returns the version.

        `change` may change the copy, whose folder it is given.
        """
        return self._made(service, "the checkout", copied, change)

    def made_of_commit(self, service: str, name: str) -> str:
        """Does the same with the services of a commit, by any name that git knows it by."""
        with exported(name) as commit:
            of_it = partial(copied, checkout=commit.folder, commit=commit.id)
            return self._made(service, f"commit {commit.id}", of_it, lambda _: None)

    def _made(
        self, service: str, what: str, copy: Callable[[str, str, Path], Source], change: Callable[[Path], None]
    ) -> str:
        following = Version.parse(version_of_checkout(service)).after(Change.REPAIR)
        made = len(list(self.versions.glob(f"{service}-*-local.*")))
        version = f"{following}-local.{made + 1}"
        self.progress(f"copying {what} as {service} {version}")
        source = copy(service, version, self.versions)
        change(source.folder)
        self.publish(_client(local_session(), "ecr", self.endpoint), source)
        return version

    def _deployer(self, service: str) -> Deployer:
        ecs, ecr, s3 = (_client(self.session(), name, self.endpoint) for name in ("ecs", "ecr", "s3"))
        root = self.roots.root(f"services/{service}")
        self.roots.initialise(root)
        outputs = root.applied()
        return Deployer(
            service,
            root,
            Service(ecs, outputs["cluster_name"], outputs["service_name"], Time(time.monotonic, time.sleep)),
            Repository(ecr, repository(service)),
            Lock(s3, self.roots.state_bucket, time.time, time.sleep, progress=self.progress),
            self._smoke(service, {name: self.roots.root(f"services/{name}").outputs() for name in SERVICES}),
            environment="local",
            progress=self.progress,
            show=lambda _: None,
        )

    def _smoke(self, service: str, outputs: dict[str, dict[str, Any]]) -> Callable[[], None]:
        found = {**(place(service, outputs) or {}), "SIM_URL": self.url}
        local = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": REGION, **_keys(self.session()), **NO_FILES}
        return smoke(_SMOKE, ROOT, {**found, **local}, self.token)


def _keys(session: boto3.Session) -> dict[str, str]:
    """The keys with which a session signs, as the environment variables that AWS's tools read."""
    held: Any = session.get_credentials()
    keys = held.get_frozen_credentials()
    token = {"AWS_SESSION_TOKEN": keys.token} if keys.token else {}
    return {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key, **token}


def _client(session: boto3.Session, name: str, endpoint: str) -> Any:
    client: Any = session.client(name, endpoint_url=endpoint)  # type: ignore[call-overload]  # by name
    return client
