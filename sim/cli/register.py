"""`sim register`: versions in the local cloud's ECR on a machine without Docker."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from release.sources import SERVICES
from services.pipeline.version import version
from sim.cli.options import HERE, Directory, Json
from sim.cli.output import Report
from sim.cloud.aws_client import local_session
from sim.cloud.registry.register import register as put
from sim.images.source import copied
from sim.stack import lifecycle


def register(
    services: Annotated[list[str] | None, typer.Argument(help="The services; by default both.")] = None,
    repositories: Annotated[str, typer.Option(help="What the names of their repositories begin with.")] = "emails",
    directory: Directory = HERE,
    json: Json = False,
) -> None:
    """Register a copy of this checkout as the services' present versions in ECR, without images. Tasks run it as
    processes.

    Where there is Docker, `python -m release publish` pushes images instead.
    """
    if unknown := sorted(set(services or ()) - set(SERVICES)):
        raise typer.BadParameter(f"there is no service {', '.join(unknown)}; there are: {', '.join(SERVICES)}")
    stack = lifecycle.running(directory)
    ecr: Any = local_session().client("ecr", endpoint_url=stack.endpoint)
    rows = []
    for name in services or SERVICES:
        source = copied(name, version(name), stack.versions)
        digest = put(ecr, f"{repositories}/{name}", source)
        rows.append({"repository": f"{repositories}/{name}", "version": source.version, "digest": digest})
    Report(json).table(["repository", "version", "digest"], rows)
