"""All roots together, applied to one local cloud as one environment, and destroyed again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

from release.errors import CommandFailed
from release.roots import BOOTSTRAP, NEEDS
from release.terraform import Root, surroundings
from sim.cloud.aws_client import CREDENTIALS, NO_FILES, REGION
from sim.host.waiting import until
from sim.terraform import installation
from sim.terraform.installation import Modules
from sim.terraform.root_order import TERRAFORM, dependents, variables_of

SIDE_BY_SIDE: Final = 3
"""The provider takes 600 MB each, and a core while it starts; for most of its time it waits."""

_STATE_BUCKET_SECONDS: Final = 600

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Done:
    """A root that was applied or destroyed, as `doing` says, and how long it took (s)."""

    doing: str
    root: str
    seconds: float


class Environment:
    """A copy of `terraform/` below a folder, where Terraform writes beside what it reads; the checkout stays clean.

    The state of `bootstrap` is a file there, those of the others are in the bucket that it makes.
    """

    def __init__(self, directory: Path, endpoint: str, variables: Mapping[str, str], progress: Progress) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._state = directory / "terraform" / BOOTSTRAP / "terraform.tfstate"
        self._endpoint = endpoint
        self._variables = dict(variables)
        self._progress = progress
        self.done: list[Done] = []
        """All that was done so far, in the order of its end."""
        self._initialised: set[str] = set()
        self._installation = installation.environment(directory, os.environ)
        # Without backend.tf: where production has put bootstrap's state into its bucket, there is none here yet.
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "backend.tf", "tests")
        shutil.copytree(TERRAFORM, directory / "terraform", ignore=ignored, dirs_exist_ok=True)

    def root(self, name: str, changed: Mapping[str, str] | None = None, *, unlock: bool = False) -> Root:
        """A root of it; with variables that are `changed`, to see what that would do.

        `unlock` takes away the locks that it meets.
        """
        state = {} if name == BOOTSTRAP else {"state_bucket": self.state_bucket}
        variables = variables_of(name, {**self._variables, **state, **(changed or {})})
        return Root(
            name,
            self._directory / "terraform" / name,
            {**surroundings(_without_aws(os.environ), variables), **self._aws},
            backend={} if name == BOOTSTRAP else {"bucket": self.state_bucket, "region": REGION},
            unlock=unlock,
        )

    @cached_property
    def state_bucket(self) -> str:
        """The bucket of the states, which bootstrap makes."""
        return str(self.root(BOOTSTRAP).outputs()["state_bucket"])

    def initialise(self, root: Root) -> None:
        """Tells it where its state is; once is enough. Raises CommandFailed."""
        if root.name in self._initialised:
            return
        root.init()
        self._initialised.add(root.name)

    def apply(self, roots: tuple[str, ...], *, modules: Modules = Modules.AUTO, unlock: bool = False) -> list[Done]:
        """Applies roots in the order of their needs, some side by side. Raises CommandFailed, or StateLocked.

        `unlock` takes away the locks that are met.
        """

        def one(name: str) -> Done:
            root = self.root(name, unlock=unlock)
            return self._timed("applying", name, lambda: self._ready_then(root, root.apply))

        root = self.root(BOOTSTRAP)
        self.initialise(root)
        first = not root.outputs()
        with ThreadPoolExecutor(1) as beside:
            bootstrap = beside.submit(self._timed, "applying", BOOTSTRAP, root.apply)
            # The bucket is ready within seconds; of its life cycle the provider is sure after a minute only.
            until(
                lambda: bootstrap.done() or (first and self._knows_state_bucket()),
                "the bucket of the states",
                seconds=_STATE_BUCKET_SECONDS,
            )
            if bootstrap.done():
                bootstrap.result()
            self._get_modules(modules)
            done = in_order({name: NEEDS[name] for name in roots if name != BOOTSTRAP}, one)
            return [bootstrap.result(), *done]

    def destroy(self, roots: tuple[str, ...], *, unlock: bool = False) -> list[Done]:
        """Destroys roots, those that need others first. Raises CommandFailed, or StateLocked."""

        def one(name: str) -> Done:
            root = self.root(name, unlock=unlock)
            return self._timed("destroying", name, lambda: self._ready_then(root, root.destroy))

        return in_order({name: needed for name, needed in dependents().items() if name in roots}, one)

    @property
    def _aws(self) -> dict[str, str]:
        return {
            **CREDENTIALS,
            **NO_FILES,
            "AWS_REGION": REGION,
            # An address, not a name: so the provider has buckets in the path, and none in the name of a host.
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Or a fifth of what the provider's start takes of a core goes into collecting garbage.
            "GOGC": "400",
            **self._installation,
        }

    def _knows_state_bucket(self) -> bool:
        """Whether bootstrap says it by now. Its state cannot be read while it is being written."""
        try:
            # To ask Terraform takes half a second of a core, which its provider wants just then.
            return self._state.exists() and bool(self.state_bucket)
        except (KeyError, CommandFailed):
            return False

    def _get_modules(self, modules: Modules) -> None:
        network, bootstrap = self.root("network"), self.root(BOOTSTRAP)
        taken = installation.choose(network, modules, lambda: installation.registry(bootstrap))
        self._progress(
            f"the VPC module is the {taken}'s" if taken is Modules.REGISTRY else "the VPC module is the stand-in"
        )

    def _ready_then(self, root: Root, act: Callable[[], None]) -> None:
        self.initialise(root)
        act()

    def _timed(self, doing: str, name: str, act: Callable[[], Any]) -> Done:
        self._progress(f"{doing} {name}")
        began = time.monotonic()
        act()
        done = Done(doing, name, round(time.monotonic() - began, 1))
        self.done.append(done)
        self._progress(f"{name}: {done.seconds:g} s")
        return done


def _without_aws(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")}


def in_order(needs: Mapping[str, tuple[str, ...]], act: Callable[[str], Done]) -> list[Done]:
    """`act` on every root, on each after those that it needs, on some side by side; as they ended.

    A need that is not among the roots counts as met. After an error none begins, and it is raised when those under way
    have ended.
    """
    order = TopologicalSorter({name: [need for need in needed if need in needs] for name, needed in needs.items()})
    order.prepare()
    under_way: dict[Future[Done], str] = {}
    done: list[Done] = []
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        try:
            while order.is_active():
                under_way |= {pool.submit(act, name): name for name in order.get_ready()}
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    done.append(future.result())
                    order.done(under_way.pop(future))
        finally:
            pool.shutdown(cancel_futures=True)
    return done
