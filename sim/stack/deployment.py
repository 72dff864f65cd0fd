"""What deploys versions to the cluster of a stack that is up."""

from __future__ import annotations

from pathlib import Path

from sim.stack import lifecycle
from sim.targets.deployment import LocalDeployment
from sim.targets.publication import PUBLISH
from sim.targets.target import Progress, TaskRuntime
from sim.terraform.local_roots import LocalRoots


def deployment_of(directory: Path, progress: Progress) -> LocalDeployment:
    """For the stack of this directory. Raises NothingRuns or NoCluster."""
    stack, place = lifecycle.running_cluster(directory)
    roots = LocalRoots(lifecycle.roots(directory), stack.endpoint, place.variables, progress)
    publish = PUBLISH[TaskRuntime(place.tasks.runtime)]
    token = stack.data_plane.token
    return LocalDeployment(stack.endpoint, stack.url, token, roots, stack.versions, progress, publish)
