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

from release.errors import ReleaseError
from release.lock import Held, Lock, Record
from release.stability import Stability
from release.terraform import Plan

STABLE_SECONDS = 900.0


class Outcome(StrEnum):
    """How a deployment ended."""

    DEPLOYED = "deployed"
    UNCHANGED = "unchanged"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """How a deployment ended, with the digest that runs now as far as is known, and why where it is not the wanted."""

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

    def outputs(self) -> Mapping[str, Any]: ...

    def image_tag(self) -> str | None: ...

    def plan(self, variables: Mapping[str, str], file: Path) -> Plan: ...

    def apply(self, plan: Plan) -> None: ...


class Service(Protocol):
    """What ECS says of a deployment (`release.ecs.Service`)."""

    def wait(self, task_definition: str, seconds: float, seen: Callable[[Stability], None]) -> None: ...


class Repository(Protocol):
    """Where versions are (`release.ecr.Repository`)."""

    def digest(self, version: str) -> str: ...


@dataclass(frozen=True)
class Deployer:
    """Deploys one service to one environment.

    `smoke` raises SmokeFailed if the pipeline does not do what it should; `tell` is told each step, `show` each plan.
    """

    service: str
    root: Root
    ecs: Service
    repository: Repository
    lock: Lock
    smoke: Callable[[], None]
    tell: Callable[[str], None]
    show: Callable[[Plan], None]

    def deploy(self, version: str, who: str) -> Verdict:
        """Raises NotPublished, Busy, NotApplied: then nothing was changed.

        Ended by anything else than a verdict, it can be run again, and still knows what ran before.
        """
        digest = self.repository.digest(version)
        with self.lock.held(Record(self.service, version, digest, self.root.image_tag(), who, until=0)) as held:
            return self._attempt(held)

    def _attempt(self, held: Held) -> Verdict:
        wanted = held.record
        try:
            changed = self._run(wanted.digest, held)
            held.renew()
            self.tell("smoke test")
            self.smoke()
        except ReleaseError as error:
            return self._back(held, error)
        return Verdict(Outcome.DEPLOYED if changed else Outcome.UNCHANGED, self.service, wanted.version, wanted.digest)

    def _back(self, held: Held, why: ReleaseError) -> Verdict:
        wanted = held.record
        if wanted.before is None or wanted.before == wanted.digest:
            nothing = f"{why}\nThere is no other version to go back to."
            return Verdict(Outcome.FAILED, self.service, wanted.version, wanted.digest, nothing)
        self.tell(f"failed, back to {wanted.before}: {why}")
        try:
            self._run(wanted.before, held)
        except ReleaseError as error:
            both = f"{why}\nThe way back failed too: {error}"
            return Verdict(Outcome.FAILED, self.service, wanted.version, None, both)
        return Verdict(Outcome.ROLLED_BACK, self.service, wanted.version, wanted.before, str(why))

    def _run(self, image_tag: str, held: Held) -> bool:
        """Whether it took any change. Raises ReleaseError."""
        with tempfile.TemporaryDirectory(prefix="release-") as directory:
            held.renew()
            self.tell(f"plan of {image_tag}")
            plan = self.root.plan({"image_tag": image_tag}, Path(directory) / "plan")
            self.show(plan)
            if plan.changes:
                held.renew()
                self.tell("apply of that plan")
                self.root.apply(plan)
        self._wait(held)
        return plan.changes

    def _wait(self, held: Held) -> None:
        said = ""

        def seen(found: Stability) -> None:
            nonlocal said
            held.renew()
            if found.why != said:
                said = found.why
                self.tell(f"{found.state}: {said}")

        self.tell("waiting for ECS")
        self.ecs.wait(self.root.outputs()["task_definition_arn"], STABLE_SECONDS, seen)
