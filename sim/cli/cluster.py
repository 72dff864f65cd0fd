"""Commands for the cluster of the stack that is up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options import FAILED, HERE, Directory, Json, TimeScale, VarFiles, Variables
from sim.cli.output import Report
from sim.client.load import Load, publishing
from sim.images.stand_in import given
from sim.stack import lifecycle
from sim.stack.cluster_status import status_of
from sim.stack.deployment import deployment_of
from sim.stack.lifecycle import NoPipeline, Stack, running_cluster
from sim.targets import nat_gateway
from sim.targets.cluster_acts import Acts
from sim.targets.project_options import ProjectOptions
from sim.terraform.project_settings import settings
from sim.terraform.root_order import assigned

cluster = typer.Typer(help="The cluster of the stack that is up.", no_args_is_help=True)

ServiceName = Annotated[
    str, typer.Argument(help="The name of the service, api or worker in the pipeline.", metavar="SERVICE")
]


class Lost(StrEnum):
    """What can be lost."""

    TASK = "task"
    INSTANCE = "instance"
    ZONE = "zone"
    NAT = "nat"


@cluster.command()
def up(
    root: Annotated[
        list[str], typer.Option("--root", help="A root of the project's Terraform; may be repeated.", metavar="DIR")
    ],
    image: Annotated[
        list[str] | None,
        typer.Option(
            "--image",
            help="What stands for a repository: an image, or the folder of a Dockerfile; may be repeated.",
            metavar="REPOSITORY=FOLDER|IMAGE",
        ),
    ] = None,
    var: Variables = None,
    var_file: VarFiles = None,
    time_scale: TimeScale = 1.0,
    directory: Directory = HERE,
    json: Json = False,
) -> None:
    """Apply any project's Terraform to a local cloud, and run what it declares. It keeps running until `sim down`."""
    report = Report(json)
    options = ProjectOptions(
        settings([Path(each) for each in root], var_file or (), assigned(var or ())), given(image or ()), time_scale
    )
    with report.progress("starting") as progress:
        stack = lifecycle.up_project(directory, options, progress)
    place = stack.cluster
    assert place is not None  # noqa: S101 - the stack of a project has a cluster
    report.facts(
        {
            "urls": dict(place.urls),
            "page": stack.page.link,
            "endpoint": stack.endpoint,
            "services": sorted(place.services),
        }
    )
    report.hint("see it on the page or with `sim cluster status`, change it with `sim apply`, end it with `sim down`")


@cluster.command()
def status(directory: Directory = HERE, json: Json = False) -> None:
    """Show instances, services, tasks, the load balancers' view of them, and the newest events."""
    found = asdict(status_of(*running_cluster(directory)))
    report = Report(json)
    if json:
        report.facts(found)
        return
    for rows in found.values():
        if rows:
            report.table(list(rows[0]), rows)
            report.lines([""])


def deploy(
    service: ServiceName,
    version: Annotated[
        str | None, typer.Argument(help="A version that is registered; by default a new one, made of the checkout.")
    ] = None,
    commit: Annotated[
        str | None, typer.Option("--commit", help="Make the new version of this commit, not of the checkout.")
    ] = None,
    load: Annotated[bool, typer.Option("--load", help="Publish by 64 clients meanwhile, and count failures.")] = False,
    directory: Directory = HERE,
) -> None:
    """Deploy a version as production does: plan, apply, wait for ECS, smoke test, and back if one of them fails."""
    if version and commit:
        raise typer.BadParameter("a version that is registered is not made of a commit: give one of the two")
    report = Report(False)
    stack, _ = running_cluster(directory)
    if stack.project:
        raise NoPipeline(
            f"how {service} is deployed is the project's own: apply the change with `sim apply --var NAME=VALUE`, or "
            f"update the service by the AWS CLI at {stack.endpoint}"
        )
    with report.progress("deploying") as progress, _loaded(stack, on=load) as seen:
        verdict = deployment_of(directory, progress).deploy(service, version, commit)
    report.lines([str(verdict), *([f"load: {seen}"] if load else [])])
    if not verdict.good or seen.failures:
        raise typer.Exit(FAILED)


@contextmanager
def _loaded(stack: Stack, *, on: bool) -> Iterator[Load]:
    with publishing(stack.client()) if on else nullcontext(Load()) as load:
        yield load


def scale(
    service: ServiceName,
    count: Annotated[int, typer.Argument(min=0, help="How many tasks it shall have.")],
    directory: Directory = HERE,
) -> None:
    """Set the desired count of a service."""
    _acts(directory).service(service).scale(count)
    Report(False).hint("watch it with `sim cluster status`")


def lose(
    what: Annotated[Lost, typer.Argument(help="A task is killed; an instance is cut off, and replaced after minutes.")],
    name: Annotated[
        str | None,
        typer.Argument(help="The id, a zone's name, or a service for its first task. The only NAT gateway needs none."),
    ] = None,
    directory: Directory = HERE,
) -> None:
    """Lose a task, an instance, a zone or a NAT gateway. `sim restore` ends it."""
    stack, place = running_cluster(directory)
    acts = place.acts(stack.endpoint)
    if what is Lost.NAT:
        if stack.project:
            raise NoPipeline("the tasks of another project do not call AWS through a NAT gateway that can be lost here")
        Report(False).lines([f"cut off {each}" for each in nat_gateway.lose(acts, name)])
        return
    if name is None:
        raise typer.BadParameter(f"name the {what} to lose", param_hint="NAME")
    match what:
        case Lost.TASK:
            acts.lose_task(name)
        case Lost.INSTANCE:
            acts.lose_instance(name)
        case Lost.ZONE:
            Report(False).lines([f"lost {each}" for each in acts.lose_zone(name)])


def restore(directory: Directory = HERE) -> None:
    """Bring back what was lost: instances and the NAT gateway; what drains takes tasks again."""
    stack, place = running_cluster(directory)
    place.acts(stack.endpoint).restore()


def drain(instance: Annotated[str, typer.Argument(help="The EC2 instance id.")], directory: Directory = HERE) -> None:
    """Move the tasks of an instance elsewhere: it is DRAINING from now on."""
    _acts(directory).drain(instance)
    Report(False).hint("watch it with `sim cluster status`")


def _acts(directory: Path) -> Acts:
    stack, place = running_cluster(directory)
    return place.acts(stack.endpoint)
