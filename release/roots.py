"""Every root of Terraform, in the order in which they stand on each other, and each environment's settings for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from release.errors import NoSuchEnvironment, NoSuchRoot
from release.terraform import Root, surroundings

BOOTSTRAP = "bootstrap"

NEEDS: dict[str, tuple[str, ...]] = {
    BOOTSTRAP: (),
    "account": (BOOTSTRAP,),
    "network": (BOOTSTRAP,),
    "messaging": (BOOTSTRAP,),
    "cluster": ("network",),
    "services/api": ("account", "cluster", "messaging"),
    "services/worker": ("account", "cluster", "messaging"),
    "monitoring": ("services/api", "services/worker"),
    "github": ("services/api", "services/worker"),
}
"""Each root with those whose state it reads, whose resources it looks up, or whose bucket holds its state."""

# The bucket that `bootstrap` makes is where the others' states are, so a person applies it.
ORDER = tuple(root for root in TopologicalSorter(NEEDS).static_order() if root != BOOTSTRAP)
ENVIRONMENTS = "environments"
_LOCK_SECONDS = 120


@dataclass(frozen=True)
class Environment:
    """One environment of a checkout: its name, the bucket of its states, and who may be asked for the rest.

    Its settings are files in the checkout, the same for whoever plans.
    """

    checkout: Path
    name: str
    state_bucket: str
    environ: Mapping[str, str]

    def root(self, name: str, *, unlock: bool = False) -> Root:
        """A root with the environment's settings. Raises NoSuchEnvironment if it has none for the root."""
        settings = [self._folder / "environment.tfvars", self._folder / f"{name}.tfvars"]
        if missing := [str(file) for file in settings if not file.is_file()]:
            raise NoSuchEnvironment(
                f"the environment {self.name} has no {', '.join(missing)}; "
                f"a folder of {ENVIRONMENTS}/ with a file for each root is an environment"
            )
        return Root(
            name,
            (self.checkout / "terraform" / name).absolute(),
            {
                **surroundings(self.environ, {"state_bucket": self.state_bucket}),
                # Each environment has its own, so that none meets another's state.
                "TF_DATA_DIR": f".terraform/{self.name}",
            },
            settings=[file.absolute() for file in settings],
            backend={"bucket": self.state_bucket},
            patience=0 if unlock else _LOCK_SECONDS,
            unlock=unlock,
        )

    def roots(self, names: Sequence[str], *, unlock: bool = False) -> list[Root]:
        """The roots of these names, in their order; for none all that the environment has settings for.

        Raises NoSuchRoot, NoSuchEnvironment.
        """
        if unknown := sorted(set(names) - set(ORDER)):
            raise NoSuchRoot(f"there is no root {', '.join(unknown)}; there are: {', '.join(ORDER)}")
        wanted = [name for name in ORDER if (name in names if names else (self._folder / f"{name}.tfvars").is_file())]
        if not wanted:
            raise NoSuchEnvironment(f"{self._folder} has no settings for any root; there are: {', '.join(ORDER)}")
        return [self.root(name, unlock=unlock) for name in wanted]

    @property
    def _folder(self) -> Path:
        return self.checkout / ENVIRONMENTS / self.name
