"""Every root of Terraform, in the order in which they stand on each other.

Not `bootstrap`: the bucket that it makes is where the others' states are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from release.errors import NoSuchRoot
from release.terraform import Plan, Root

ORDER = ("network", "messaging", "cluster", "services/api", "services/worker", "github")


def chosen(
    names: Sequence[str], directory: Path, state_bucket: str, variables: Mapping[str, str], *, unlock: bool
) -> list[tuple[str, Root]]:
    """The roots of these names with them, in order; all for none. Raises NoSuchRoot."""
    if unknown := sorted(set(names) - set(ORDER)):
        raise NoSuchRoot(f"there is no root {', '.join(unknown)}; there are: {', '.join(ORDER)}")
    wanted = [name for name in ORDER if name in names or not names]
    return [(name, Root(directory / name, state_bucket, variables, unlock=unlock)) for name in wanted]


def change(name: str, root: Root, apply: bool, show: Callable[[Plan], None]) -> bool:
    """Plans a root, and applies that plan if it is to be; whether there was anything to change.

    What a service runs stays what it is. Raises CommandFailed, NotApplied.
    """
    root.init()
    variables = {"image_tag": root.image_tag() or "none"} if name.startswith("services/") else {}
    with tempfile.TemporaryDirectory(prefix="release-") as temporary:
        plan = root.plan(variables, Path(temporary) / "plan", lock=apply)
        show(plan)
        if apply and plan.changes:
            root.apply(plan)
    return plan.changes
