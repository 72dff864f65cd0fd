"""The roots of an environment, planned and applied as they are written.

A plan is made before somebody approves it, and it is that plan that is applied: roots that were planned together are
applied one after the other, and what one of them makes other for a later one is seen by planning once more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from release.errors import NotPlanned
from release.terraform import Plan, Root

Show = Callable[[str, Plan], None]


def plan(roots: Sequence[Root], show: Show, *, folder: Path | None = None, lock: bool = False) -> list[str]:
    """Plans each root, and keeps the plans with something to change in `folder`; the roots with such.

    What a service runs stays what it is. Raises CommandFailed, NotApplied.
    """
    changing = []
    with tempfile.TemporaryDirectory(prefix="release-") as temporary:
        for root in roots:
            root.init()
            made = _planned(root, _file(folder or Path(temporary), root), lock=lock)
            show(root.name, made)
            if made.changes:
                changing.append(root.name)
            else:
                made.file.unlink(missing_ok=True)
    return changing


def _planned(root: Root, file: Path, *, lock: bool) -> Plan:
    """A root's plan. What a service runs stays what it is, also if a deployment ends while Terraform plans.

    One that ends later makes the plan older than the state, and Terraform refuses to apply it.
    """
    if not root.name.startswith("services/"):
        return root.plan(file, {}, lock=lock)
    while True:
        image = root.image_tag()
        made = root.plan(file, {"image_tag": image or "none"}, lock=lock)
        if root.image_tag() == image:
            return made


def apply(roots: Sequence[Root], show: Show) -> list[str]:
    """Plans each root and applies that plan before the next is planned; the roots that were changed.

    Raises CommandFailed, NotApplied.
    """
    changed = []
    with tempfile.TemporaryDirectory(prefix="release-") as temporary:
        for root in roots:
            if plan([root], show, folder=Path(temporary), lock=True):
                root.apply(Plan(_file(Path(temporary), root), "", changes=True))
                changed.append(root.name)
    return changed


def apply_planned(roots: Sequence[Root], folder: Path, progress: Callable[[str], None]) -> list[str]:
    """Applies the plans that `plan` has kept in the folder, and no other; the roots that were changed.

    Raises NotPlanned for a plan of a root that is not among these; CommandFailed, also for a plan that is older than
    the root's state.
    """
    kept = {str(file.relative_to(folder).with_suffix("")) for file in folder.rglob("*.tfplan")}
    if foreign := sorted(kept - {root.name for root in roots}):
        raise NotPlanned(f"{folder} has plans of {', '.join(foreign)}, which are not to be applied; name them, too")
    changed = []
    for root in roots:
        if root.name in kept:
            progress(f"apply of {root.name} as it was planned")
            root.init()
            root.apply(Plan(_file(folder, root), "", changes=True))
            changed.append(root.name)
    return changed


def _file(folder: Path, root: Root) -> Path:
    file = (folder / f"{root.name}.tfplan").absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
