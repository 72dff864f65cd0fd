"""The places where the pipeline runs, each behind the same few members, so that one test-suite serves them all."""

from __future__ import annotations

import os

from sim.errors import SimError
from sim.targets.process import ProcessTarget
from sim.targets.target import Progress, Provision, Target, Tuning

LOCAL = ("process", "docker", "cluster")
"""Those that are started here."""
TARGETS = (*LOCAL, "aws")


def create(
    name: str, tuning: Tuning, progress: Progress, *, reuse: bool = False, provision: Provision = Provision.KIT
) -> Target:
    """The target of this name, not yet up. Raises SimError if it cannot be."""
    terraform = provision is Provision.TERRAFORM
    if terraform and name not in LOCAL:
        raise SimError(f"the target {name!r} is not provisioned from here; choose one of {', '.join(LOCAL)}")
    if terraform and reuse:
        raise SimError("what Terraform made is not taken over by a later run: leave out --reuse or --provision")
    match name:
        case "process":
            return ProcessTarget(tuning, progress, provision=provision)
        case "docker":
            # Not before it is asked for: what it imports takes as long as LocalStack's start.
            from sim.targets.docker import DockerTarget  # noqa: PLC0415

            return DockerTarget(tuning, progress, reuse=reuse, provision=provision)
        case "cluster":
            from sim.targets.cluster import ClusterTarget  # noqa: PLC0415 - as above

            return ClusterTarget(tuning, progress)
        case "aws":
            from sim.targets.aws import AwsTarget, AwsTargetWithBucket, Place  # noqa: PLC0415

            place = Place.of(os.environ)
            if place.bucket is None:
                return AwsTarget(place, progress)
            return AwsTargetWithBucket(place, place.bucket, progress)
        case _:
            raise SimError(f"there is no target {name!r}; there are: {', '.join(TARGETS)}")
