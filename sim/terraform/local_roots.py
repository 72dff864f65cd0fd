"""Applies all roots together to one local cloud, and destroys them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from copy import copy
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
"""How many roots are applied at once. Each provider takes 600 MB, and a core while it starts; then it mostly waits."""

_STATE_BUCKET_SECONDS: Final = 600

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Done:
    """A root that was applied or destroyed (`doing`), and how long it took in seconds."""

    doing: str
    root: str
    seconds: float


class LocalRoots:
    """The roots in a copy of `terraform/`. Terraform writes next to the files that it reads; the checkout stays clean.

    The state of `bootstrap` is a file in the copy. The states of the other roots are in the bucket that it creates.
    """

    def __init__(self, directory: Path, endpoint: str, variables: Mapping[str, str], progress: Progress) -> None:
        # Terraform runs in the folder of each root.
        directory = directory.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._state = directory / "terraform" / BOOTSTRAP / "terraform.tfstate"
        self._endpoint = endpoint
        self._variables = dict(variables)
        self._progress = progress
        self._keys: Mapping[str, str] = CREDENTIALS
        self.done: list[Done] = []
        """The roots applied and destroyed so far, in the order in which they ended."""
        self._initialised: set[str] = set()
        self._installation = installation.environment(directory, os.environ)
        # Without backend.tf, since bootstrap keeps its state in production's bucket, which does not exist here.
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "backend.tf", "tests")
        shutil.copytree(TERRAFORM, directory / "terraform", ignore=ignored, dirs_exist_ok=True)

    def root(self, name: str, changed: Mapping[str, str] | None = None, *, unlock: bool = False) -> Root:
        """One of the roots. `changed` replaces some of its variables, for a plan of that change.

        With `unlock`, it removes existing locks on its state.
        """
        state = {} if name == BOOTSTRAP else {"state_bucket": self.state_bucket}
        variables = variables_of(name, {**self._variables, **state, **(changed or {})})
        return Root(
            name,
            self._directory / "terraform" / name,
            {**local_surroundings(self._endpoint, variables, self._keys), **self._installation},
            backend={} if name == BOOTSTRAP else {"bucket": self.state_bucket, "region": REGION},
            unlock=unlock,
        )

    def signing_with(self, keys: Mapping[str, str]) -> LocalRoots:
        """The same roots, whose calls are signed with other keys: `AWS_ACCESS_KEY_ID` and its likes."""
        other = copy(self)
        other._keys = keys  # noqa: SLF001 - of its own class
        return other

    @cached_property
    def state_bucket(self) -> str:
        """The name of the bucket with the states, which bootstrap creates."""
        return str(self.root(BOOTSTRAP).outputs()["state_bucket"])

    def initialise(self, root: Root) -> None:
        """Initialises a root with its backend, unless that is done already. Raises CommandFailed."""
        if root.name in self._initialised:
            return
        root.init()
        self._initialised.add(root.name)

    def apply(
        self,
        roots: tuple[str, ...],
        *,
        modules: Modules = Modules.AUTO,
        unlock: bool = False,
        after: Mapping[str, Callable[[], None]] | None = None,
    ) -> list[Done]:
        """Applies roots, each after the roots that it needs, several at once. Raises CommandFailed or StateLocked.

        With `unlock`, it removes existing locks. `after` is called once the root of that name is applied, before the
        roots that need it.
        """
        followers = after or {}

        def one(name: str) -> Done:
            root = self.root(name, unlock=unlock)
            done = self._timed("applying", name, lambda: self._ready_then(root, root.apply))
            if name in followers:
                followers[name]()
            return done

        root = self.root(BOOTSTRAP)
        self.initialise(root)
        first = not root.outputs()
        with ThreadPoolExecutor(1) as beside:
            bootstrap = beside.submit(self._timed, "applying", BOOTSTRAP, root.apply)
            # The bucket is ready within seconds, but the provider waits a minute for its life cycle.
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
        """Destroys roots, each before the roots that it needs. Raises CommandFailed or StateLocked."""

        def one(name: str) -> Done:
            root = self.root(name, unlock=unlock)
            return self._timed("destroying", name, lambda: self._ready_then(root, root.destroy))

        return in_order({name: needed for name, needed in dependents().items() if name in roots}, one)

    def _knows_state_bucket(self) -> bool:
        """True if bootstrap's state names the bucket. The state cannot be read while Terraform writes it."""
        try:
            # Asking Terraform takes half a second of a core, which the provider needs now. So look for the file first.
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
        done = timed(doing, name, act, self._progress)
        self.done.append(done)
        return done


def local_surroundings(
    endpoint: str, variables: Mapping[str, str], keys: Mapping[str, str] = CREDENTIALS
) -> dict[str, str]:
    """The environment in which Terraform reaches the local cloud at `endpoint`, with these variables.

    Its calls are signed with `keys`. It has nothing of what a person has set up for AWS.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **surroundings(environ, variables),
        **keys,
        **NO_FILES,
        "AWS_REGION": REGION,
        # The host is an IP address, so the provider puts bucket names into the path and not into the host name.
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Otherwise the provider spends a fifth of its start-up collecting garbage.
        "GOGC": "400",
    }


def timed(doing: str, name: str, act: Callable[[], Any], progress: Progress) -> Done:
    """Applies or destroys (`doing`) the root of this name by `act`, and reports how long that took."""
    progress(f"{doing} {name}")
    began = time.monotonic()
    act()
    done = Done(doing, name, round(time.monotonic() - began, 1))
    progress(f"{name}: {done.seconds:g} s")
    return done


def in_order(needs: Mapping[str, tuple[str, ...]], act: Callable[[str], Done]) -> list[Done]:
    """Calls `act` for every root, each after the roots that it needs, several at once. Returns results as they end.

    A need that is not among the roots counts as met. After an error no new root starts, and the error is raised when
    the running ones have ended.
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
