"""`examples/alb`, applied by real Terraform to a cloud whose tasks run: nothing of it is ours but the words."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from release.terraform import Root, surroundings
from sim.agent.programs import Program
from sim.cloud.aws_client import CREDENTIALS, NO_FILES, REGION
from sim.cloud.registry.source_image import MEDIA_TYPE, Source
from sim.host.cleanup import Cleanup
from sim.host.loopback import request
from sim.host.waiting import until
from sim.terraform import installation
from tests.cloud.running import SECONDS, RunningCloud
from tests.terraform.conftest import changes, client

EXAMPLE = Path(__file__).parents[2] / "examples/alb"
_WEB = {
    "board/web": Program(
        (sys.executable, "{source}/server.py"),
        Path("{source}"),
        {"HOST": "127.0.0.1", "PORT": "{port:8000}", "PATH": os.environ.get("PATH", os.defpath)},
    )
}


@pytest.fixture
def cloud() -> Iterator[RunningCloud]:
    """One that runs the example's image."""
    with Cleanup() as cleanup:
        cloud = RunningCloud(cleanup, _WEB)
        try:
            cloud.start()
            yield cloud
        finally:
            cloud.stop()


def root(cloud: RunningCloud, directory: Path, release: str) -> Root:
    """The example with this release."""
    aws = {**CREDENTIALS, **NO_FILES, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": cloud.endpoint}
    environment = surroundings(os.environ, {"release": release})
    return Root("alb", directory, {**environment, **aws, **installation.environment(directory.parent, os.environ)})


def test_the_alb_example_is_applied_deployed_and_destroyed(
    provider: None,  # noqa: ARG001 - it is there
    cloud: RunningCloud,
    tmp_path: Path,
) -> None:
    directory = Path(shutil.copytree(EXAMPLE, tmp_path / "alb"))
    first, second = (root(cloud, directory, release) for release in "12")
    first.init()
    first.run("apply", "-no-color", "-auto-approve", "-target=aws_ecr_repository.web")
    image = Source("board/web", "1.0.0", "0" * 40, EXAMPLE / "image").manifest()
    client("ecr", cloud.endpoint).put_image(
        repositoryName="board/web", imageManifest=image, imageManifestMediaType=MEDIA_TYPE, imageTag="latest"
    )
    first.apply()
    assert changes(first) == ()

    url = f"http://{cloud.parts.await_listener(first.outputs()['dns_name'], 80)}/"

    def said(path: str = "", **headers: str) -> tuple[int, str]:
        answer = request("GET", f"{url}{path}", seconds=5, headers=headers)
        return answer.status, answer.data.decode()

    until(lambda: said()[1].startswith("board 1 Root=1-"), "the board", seconds=SECONDS, seen=said)
    api = client("elbv2", cloud.endpoint)
    [group] = api.describe_target_groups(Names=["board-web"])["TargetGroups"]

    def healthy() -> list[int]:
        found = api.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        return [each["Target"]["Port"] for each in found if each["TargetHealth"]["State"] == "healthy"]

    until(lambda: len(healthy()) == 3, "three healthy targets", seconds=SECONDS, seen=healthy)
    assert said("x", Host="internal.board") == (403, "not for everybody")
    moved = request("GET", f"{url}old/a?b=c", seconds=5, headers={"Host": "board"})
    assert (moved.status, moved.headers["Location"]) == (301, "http://board:80/new?b=c")

    second.apply()
    seen = set[str]()

    def rolled_out() -> bool:
        status, text = said()
        seen.add(f"{status} {text[:7]}")
        [service] = client("ecs", cloud.endpoint).describe_services(cluster="board", services=["web"])["services"]
        return len(service["deployments"]) == 1 and service["deployments"][0]["rolloutState"] == "COMPLETED"

    until(rolled_out, "the second release to be rolled out", seconds=SECONDS, seen=lambda: seen)
    assert seen <= {"200 board 1", "200 board 2"}
    assert said()[1].startswith("board 2 ")
    second.destroy()
    assert api.describe_load_balancers()["LoadBalancers"] == []
