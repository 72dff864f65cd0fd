"""`python -m sim.stack.supervisor DIRECTORY TARGET PROVISION`: owns a stack from its start until SIGTERM.

Prints progress on standard output, and closes it when the stack is ready. Starts the agent and the edge of a cluster
again when they end, and the live page when somebody opens it. If LocalStack ends, the cluster ends, and a file keeps
the reason for the next command.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from release.errors import ReleaseError
from sim.errors import SimError
from sim.host.identity import start_of
from sim.stack import lifecycle as stack
from sim.stack.page import PagePart
from sim.targets import create_cluster
from sim.targets.cluster import ClusterTarget
from sim.targets.local import LocalTarget
from sim.targets.process import ProcessTarget
from sim.targets.target import SERVICES, Provision, TaskRuntime, Tuning

if TYPE_CHECKING:
    from sim.targets.docker import DockerTarget
    from sim.targets.project_cluster import ProjectCluster

_LOOK_SECONDS: Final = 0.5
_DOCKER: Final = "docker"
Supervised: TypeAlias = "ProcessTarget | DockerTarget | ClusterTarget | ProjectCluster"


def run(directory: Path, target: Callable[[Path], Supervised], provision: Provision) -> int:
    """Runs the stack; `target` makes its target, given the folder for Terraform.

    Returns the exit status: 0 after SIGTERM, 1 if the stack did not start or could not stay up.
    """
    signal.signal(signal.SIGTERM, _end)
    roots = stack.roots(directory)
    # Terraform's state of an earlier stack, whose cloud no longer exists.
    shutil.rmtree(roots, ignore_errors=True)
    try:
        with target(roots) as running, PagePart(directory) as page:
            stack.write(state_of(running, provision, page), directory)
            _close_output()
            _keep(running, page, directory, provision)
    except (SimError, ReleaseError) as error:
        print(error, flush=True)
        stack.note_end(directory, str(error))
        return 1
    finally:
        stack.state_file(directory).unlink(missing_ok=True)
        shutil.rmtree(roots, ignore_errors=True)


def _keep(target: Supervised, page: PagePart, directory: Path, provision: Provision) -> NoReturn:
    """Keeps both up until SIGTERM. Raises SimError if the target cannot be kept."""
    while True:
        changed = page.wait(_LOOK_SECONDS)
        if target.keep():
            changed = True
        if changed:
            stack.write(state_of(target, provision, page), directory)


def _target(
    name: str, provision: Provision, runtime: TaskRuntime | None, tuning: Tuning, roots: Path
) -> ProcessTarget | DockerTarget | ClusterTarget:
    if name == ClusterTarget.name:
        return create_cluster(tuning, _report, runtime, roots)
    if name == _DOCKER:
        # Not before it is asked for: what it imports takes as long as LocalStack's start.
        from sim.targets.docker import FollowedDocker  # noqa: PLC0415

        return FollowedDocker(tuning, _report, provision=provision, roots=roots)
    return ProcessTarget(tuning, _report, provision=provision, roots=roots)


def state_of(target: Supervised, provision: Provision, page: PagePart) -> stack.Stack:
    """A target that is up, as a stack of this process."""
    local = target if isinstance(target, LocalTarget) else None
    return stack.Stack(
        supervisor=os.getpid(),
        started=start_of(os.getpid()) or "",
        url=target.url,
        endpoint=target.endpoint,
        heartbeat=str(target.heartbeat) if isinstance(target, ProcessTarget) else "",
        target=target.name,
        provision=provision,
        resources=local.data_plane.resources if local else None,
        parts={
            each.name: stack.Part(each.pid or 0, str(each.log), each.starts)
            for each in (*target.processes, *page.processes)
            if each.starts
        },
        versions=target.versions,
        gateway=local.gateway_control.url if local else "",
        page=page.address,
        cluster=_cluster(target),
        project=None if isinstance(target, LocalTarget) else target.options,
        containers={name: each.name for name, each in local.containers.items()} if local else {},
    )


def _cluster(target: Supervised) -> stack.ClusterPlace | None:
    if isinstance(target, ClusterTarget):
        edge = target.cluster.control
        services = {str(service): target.service(service) for service in SERVICES}
        return stack.ClusterPlace(target.tasks, services, target.variables, edge, target.time_scale)
    if isinstance(target, LocalTarget):
        return None
    scale, region = target.options.time_scale, target.region
    return stack.ClusterPlace(target.tasks, target.services, {}, target.edge, scale, region, target.urls)


def _report(progress: str) -> None:
    print(progress, flush=True)


def _close_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (sys.stdout, sys.stderr):
        output.flush()
        os.dup2(nowhere, output.fileno())


def _end(_number: int, _frame: FrameType | None) -> None:
    # A second signal would interrupt the clean-up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m sim.stack.supervisor", description="Owns a stack.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("target")
    parser.add_argument("provision", type=Provision)
    parser.add_argument("--runtime", type=TaskRuntime)
    parser.add_argument("--time-scale", type=float, default=1.0, metavar="K")
    parser.add_argument("--project", type=Path, metavar="FILE")
    given = parser.parse_args()

    def target(roots: Path) -> Supervised:
        if given.project:
            # Not before it is asked for: what it imports takes as long as LocalStack's start.
            from sim.targets.project_cluster import ProjectCluster  # noqa: PLC0415

            return ProjectCluster(stack.read_project(given.project), _report, roots)
        return _target(given.target, given.provision, given.runtime, Tuning(time_scale=given.time_scale), roots)

    return run(given.directory, target, given.provision)


if __name__ == "__main__":
    sys.exit(main())
