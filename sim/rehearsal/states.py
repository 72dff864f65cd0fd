"""The Terraform states of the roots that a running stack was made of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sim.prediction.terraform_json import Resource, read
from sim.stack import lifecycle
from sim.stack.deployment import deployment_of
from sim.stack.lifecycle import Stack
from sim.targets.target import Progress
from sim.terraform.project_roots import ProjectRoots

_OF_PIPELINE: Final = ("network", "cluster", "services/api", "services/worker")


def resources_of(directory: Path, stack: Stack, progress: Progress) -> list[Resource]:
    """The resources of all roots of the stack of this directory. Raises CommandFailed or NotTerraformJson."""
    if stack.project:
        roots = ProjectRoots(lifecycle.roots(directory), stack.endpoint, stack.project.terraform, progress)
        states = roots.states()
    else:
        ours = deployment_of(directory, progress).roots
        states = {name: ours.root(name).run("show", "-json")[1] for name in _OF_PIPELINE}
    return [resource for name, text in states.items() for resource in read(Path(name), text)]
