"""The places where the pipeline runs, each behind the same few members, so that one test-suite serves them all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cluster.aws_clock import LARGEST
from sim.errors import SimError
from sim.targets.process import ProcessTarget
from sim.targets.target import Progress, Provision, Target, TaskRuntime, Tuning

if TYPE_CHECKING:
    from sim.targets.cluster import ClusterTarget

LOCAL = ("process", "docker", "cluster")
"""Those that are started here."""
TARGETS = (*LOCAL, "aws")


def create(
    name: str,
    tuning: Tuning,
    progress: Progress,
    *,
    reuse: bool = False,
    provision: Provision = Provision.KIT,
    runtime: TaskRuntime | None = None,
) -> Target:
    """The target of this name, not yet up. `runtime` is a cluster's. Raises SimError if it cannot be."""
    terraform = provision is Provision.TERRAFORM
    if terraform and name not in LOCAL:
        raise SimError(f"the target {name!r} is not provisioned from here; choose one of {', '.join(LOCAL)}")
    if terraform and reuse:
        raise SimError("what Terraform made is not taken over by a later run: leave out --reuse or --provision")
    if runtime and name != "cluster":
        raise SimError(f"the target {name!r} has no tasks: leave out --runtime, or choose --target cluster")
    if tuning.time_scale != 1 and name != "cluster":
        raise SimError(f"the target {name!r} has no control plane: leave out --time-scale, or choose --target cluster")
    match name:
        case "process":
            return ProcessTarget(tuning, progress, provision=provision)
        case "docker":
            # Not before it is asked for: what it imports takes as long as LocalStack's start.
            from sim.targets.docker import DockerTarget  # noqa: PLC0415

            return DockerTarget(tuning, progress, reuse=reuse, provision=provision)
        case "cluster":
            return create_cluster(tuning, progress, runtime)
        case "aws":
            from sim.targets.aws import AwsTarget, AwsTargetWithBucket, Place  # noqa: PLC0415

            place = Place.of(os.environ)
            if place.bucket is None:
                return AwsTarget(place, progress)
            return AwsTargetWithBucket(place, place.bucket, progress)
        case _:
            raise SimError(f"there is no target {name!r}; there are: {', '.join(TARGETS)}")


def create_cluster(
    tuning: Tuning, progress: Progress, runtime: TaskRuntime | None, roots: Path | None = None
) -> ClusterTarget:
    """A cluster, not yet up. Without a runtime its tasks are containers if a Docker engine answers, else processes.

    `roots` is the folder in which Terraform works, if not one that ends with the run. Raises SimError if AWS's clock is
    to run slower than this machine's, or too fast.
    """
    if not 1 <= tuning.time_scale <= LARGEST:
        raise SimError(f"--time-scale is from 1 to {LARGEST}, and not {tuning.time_scale:g}")
    # Not before it is asked for, as above.
    from sim.host.container import engine_answers  # noqa: PLC0415
    from sim.targets.docker_cluster import DockerCluster  # noqa: PLC0415
    from sim.targets.process_cluster import ProcessCluster  # noqa: PLC0415

    chosen = runtime or (TaskRuntime.DOCKER if engine_answers() else TaskRuntime.PROCESS)
    kind = DockerCluster if chosen is TaskRuntime.DOCKER else ProcessCluster
    return kind(tuning, progress, roots=roots)
