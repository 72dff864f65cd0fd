"""A version into an environment, and back to the one before if it does not do what it should.

Plan, apply of that plan, wait for ECS, smoke test; whichever fails, the same again with the image that ran before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from release.aws import AWS_ERRORS
from release.errors import NotPublished, ReleaseError
from release.lock import Held, Lock, Record
from release.publish import deployed
from release.stability import Stability
from release.terraform import Plan

FAILURES = (ReleaseError, *AWS_ERRORS)
"""What a deployment that cannot go on is taken back for; also where AWS itself does not answer."""


class Outcome(StrEnum):
    """How a deployment ended."""

    DEPLOYED = "deployed"
    UNCHANGED = "unchanged"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """How a deployment ended, with the digest that runs now as far as is known; `why` if that is not the wanted one."""

    outcome: Outcome
    service: str
    version: str
    runs: str | None
    why: str = ""

    @property
    def good(self) -> bool:
        """Whether the wanted version runs and does what it should."""
        return self.outcome in {Outcome.DEPLOYED, Outcome.UNCHANGED}

    def __str__(self) -> str:
        ending = "" if self.good else f"; {self.runs or 'nothing'} runs\n{self.why}"
        return f"{self.service} {self.version}: {self.outcome}{ending}"


class Root(Protocol):
    """What Terraform does for a deployment (`release.terraform.Root`)."""

    def applied(self) -> Mapping[str, Any]: ...

    def image_tag(self) -> str | None: ...

    def plan(self, file: Path, variables: Mapping[str, str]) -> Plan: ...

    def apply(self, plan: Plan) -> None: ...


class Service(Protocol):
    """What ECS says of a deployment (`release.ecs.Service`)."""

    def wait(self, task_definition: str, seconds: float, seen: Callable[[Stability], None]) -> None: ...


class Repository(Protocol):
    """Where versions are (`release.ecr.Repository`)."""

    def digest(self, version: str) -> str: ...

    def tag(self, digest: str, tag: str) -> None: ...


@dataclass(frozen=True)
class Deployer:
    """Deploys one service to one environment.

    `smoke` raises SmokeFailed if the pipeline does not do what it should; `progress` gets each step, `show` each plan.
    Images that the environment runs or ran are tagged with its name, which keeps them from being expired.
    """

    service: str
    root: Root
    ecs: Service
    repository: Repository
    lock: Lock
    smoke: Callable[[], None]
    environment: str
    progress: Callable[[str], None]
    show: Callable[[Plan], None]

    def deploy(self, version: str, who: str, holder: str) -> Verdict:
        """`holder` is different for every run. Raises NotPublished, Busy, NotApplied: then nothing was changed.

        Ended by anything else than a verdict, it can be run again, and still knows what ran before.
        """
        digest = self.repository.digest(version)
        with self.lock.held(Record(who, holder, self.service, version, digest)) as held:
            before = self.root.image_tag()
            self._keep(digest, before)
            held.begin(before)
            return self._attempt(held)

    def _keep(self, digest: str, before: str | None) -> None:
        """Keeps what is to run, and what runs, from being expired; while nothing was changed yet, since it can fail."""
        self.repository.tag(digest, deployed(self.environment, digest))
        if before is None:
            return
        try:
            running = self.repository.digest(before)
            self.repository.tag(running, deployed(self.environment, running))
        except NotPublished as gone:
            self.progress(f"there may be no way back: {gone}")

    def _attempt(self, held: Held) -> Verdict:
        wanted = held.record
        try:
            changed = self._run(wanted.digest, held)
            held.renew()
            self.progress("smoke test")
            self.smoke()
        except FAILURES as error:
            return self._back(held, error)
        return Verdict(Outcome.DEPLOYED if changed else Outcome.UNCHANGED, self.service, wanted.version, wanted.digest)

    def _back(self, held: Held, why: Exception) -> Verdict:
        wanted = held.record
        if wanted.before is None or wanted.before == wanted.digest:
            nothing = f"{why}\nThere is no other version to go back to."
            return Verdict(Outcome.FAILED, self.service, wanted.version, wanted.digest, nothing)
        self.progress(f"failed, back to {wanted.before}: {why}")
        try:
            self._run(wanted.before, held)
        except FAILURES as error:
            both = f"{why}\nThe way back failed too: {error}"
            return Verdict(Outcome.FAILED, self.service, wanted.version, None, both)
        return Verdict(Outcome.ROLLED_BACK, self.service, wanted.version, wanted.before, str(why))

    def _run(self, image_tag: str, held: Held) -> bool:
        """Plan, apply and wait; True if it changed anything. Raises one of FAILURES."""
        with tempfile.TemporaryDirectory(prefix="release-") as directory:
            held.renew()
            self.progress(f"plan of {image_tag}")
            plan = self.root.plan(Path(directory) / "plan", {"image_tag": image_tag})
            self.show(plan)
            if plan.changes:
                held.renew()
                self.progress("apply of that plan")
                self.root.apply(plan)
        self._wait()
        return plan.changes

    def _wait(self) -> None:
        last = ""

        def seen(found: Stability) -> None:
            nonlocal last
            if found.why != last:
                last = found.why
                self.progress(f"{found.state}: {last}")

        self.progress("waiting for ECS")
        outputs = self.root.applied()
        self.ecs.wait(outputs["task_definition_arn"], outputs["deployment_timeout_seconds"], seen)
