"""Production's Terraform from its first apply to the last destroy, each test on what those before it have left.

The apply is the start of the session's target. That the pipeline runs on what it made, the end-to-end tests show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from release import infra
from release.cli import main
from release.errors import CommandFailed
from release.roots import BOOTSTRAP, NEEDS, ORDER
from sim.cli.rehearse import rehearse
from sim.cloud.aws_client import REGION
from sim.targets.docker import DockerTarget
from sim.targets.process import ProcessTarget
from sim.targets.target import Provision
from sim.terraform.local_roots import SIDE_BY_SIDE, LocalRoots
from tests.cloud.shared import Client
from tests.release.test_terraform import output, release
from tests.terraform.account import made
from tests.terraform.conftest import TIMES, changes, client
from tests.unit.release.conftest import Repository, repository
from tests.workflow_roles import taken

__all__ = ["repository"]

pytestmark = [pytest.mark.timeout(600), pytest.mark.resources]

Provisioned = ProcessTarget | DockerTarget

CREATED: Final = ("create",)
UPDATED: Final = ("update",)
REPLACED: Final = (("delete", "create"), ("create", "delete"))

FOR_WORKFLOWS: Final = {
    "account": {"environment": "shared", "apply_from_github": "true"},
    "github": {"apply_from_github": "true"},
}
"""What the environments of production say of these roots, once workflows apply them."""


@pytest.fixture(scope="module")
def provisioned(request: pytest.FixtureRequest) -> Provisioned:
    """The session's target, with all roots applied. It is Terraform's only where `--provision terraform` is given."""
    if request.config.getoption("--provision") is not Provision.TERRAFORM:
        pytest.skip("not applicable: the resources of the target are not Terraform's")
    running: Provisioned = request.getfixturevalue("running_target")
    request.config.stash[TIMES] = running.local_roots.done
    return running


@pytest.fixture(scope="module")
def local_roots(provisioned: Provisioned) -> LocalRoots:
    """All roots, applied."""
    return provisioned.local_roots


@pytest.fixture(scope="module", autouse=True)
def _second(provisioned: Provisioned, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[LocalRoots]]:
    """Bootstrapped while the other tests run: most of it is waiting."""

    def bootstrapped() -> LocalRoots:
        variables = {"environment": "second"}
        second = LocalRoots(tmp_path_factory.mktemp("second"), provisioned.data_plane.endpoint, variables, print)
        second.apply((BOOTSTRAP,))
        return second

    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(bootstrapped)


@pytest.fixture(scope="module")
def second(_second: Future[LocalRoots]) -> LocalRoots:
    """The roots of a second environment in the same account, with only bootstrap applied."""
    return _second.result()


@pytest.fixture(scope="module")
def for_workflows(local_roots: LocalRoots) -> LocalRoots:
    """The roots as they are where workflows plan and apply them: with a role that plans for each environment."""
    for name, variables in FOR_WORKFLOWS.items():
        local_roots.root(name, variables).apply()
    return local_roots


@pytest.fixture(scope="module")
def aws(provisioned: Provisioned) -> Callable[[str], Client]:
    """Makes clients of the account that Terraform has. To make one of EC2 takes seconds."""
    return cache(lambda service: client(service, provisioned.data_plane.endpoint))


def test_a_second_plan_of_every_root_changes_nothing(local_roots: LocalRoots) -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        plans = threads.map(lambda name: changes(local_roots.root(name)), NEEDS)
    assert dict(zip(NEEDS, plans, strict=True)) == dict.fromkeys(NEEDS, ())


def test_the_outputs_say_what_people_and_workflows_need(local_roots: LocalRoots, provisioned: Provisioned) -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        outputs = dict(zip(NEEDS, threads.map(lambda name: local_roots.root(name).outputs(), NEEDS), strict=True))
    resources = provisioned.data_plane.resources
    assert outputs["messaging"]["queue_url"] == resources.queue_url
    assert outputs["messaging"]["dead_letter_queue_url"] == resources.dead_letter_queue_url
    assert outputs["messaging"]["bucket"] == resources.bucket
    assert outputs["services/api"]["token_parameter"] == resources.token_parameter
    assert outputs["services/api"]["url"] == f"http://{outputs['cluster']['load_balancer_dns_name']}"
    assert outputs["bootstrap"]["state_bucket"] == local_roots.state_bucket
    assert outputs["account"]["repository_urls"]["api"] == outputs["services/api"]["repository_url"]
    assert outputs["account"]["build_role_arn"] != outputs["github"]["deploy_role_arn"]


def test_a_deployment_of_the_api_is_predicted_to_cost_no_request(local_roots: LocalRoots, tmp_path: Path) -> None:
    """The gate of a pull request: settings of Terraform that would cost clients anything break these limits."""
    states = [tmp_path / "cluster.json", tmp_path / "api.json"]
    for file, root in zip(states, ("cluster", "services/api"), strict=True):
        file.write_text(local_roots.root(root).run("show", "-json")[1])
    limits = ["--serving-at-least", "2", "--nothing-at-most", "0", "--missing-at-most", "0"]
    predicted = CliRunner().invoke(rehearse, ["plan", *map(str, states), "--alone", *limits])
    assert predicted.exit_code == 0, predicted.output
    assert "2 tasks on 3 instances" in predicted.output


def test_another_image_is_a_new_task_definition_and_its_deployment(local_roots: LocalRoots) -> None:
    planned = changes(local_roots.root("services/api", {"image_tag": "9.9.9"}))
    definition, service = "module.task.aws_ecs_task_definition.this[0]", "aws_ecs_service.this[0]"
    changed = {change.address: change for change in planned}
    assert changed.keys() == {definition, service}
    assert changed[definition].actions in REPLACED
    assert changed[service].actions == UPDATED
    after = changed[definition].after
    assert after is not None
    assert ":9.9.9" in after["container_definitions"]


def test_a_nat_gateway_for_each_zone_is_what_the_second_zone_lacks(local_roots: LocalRoots) -> None:
    planned = changes(local_roots.root("network", {"nat_gateway_per_zone": "true"}))
    assert {change.address: change.actions for change in planned} == {
        "module.vpc.aws_eip.nat[1]": CREATED,
        "module.vpc.aws_nat_gateway.this[1]": CREATED,
        "module.vpc.aws_route.private_nat_gateway[1]": CREATED,
        "module.vpc.aws_route_table.private[1]": CREATED,
        "module.vpc.aws_route_table_association.private[1]": UPDATED,
        # With one table for each zone, the name of the first says whose it is, and S3 is to be reached from the other.
        "module.vpc.aws_route_table.private[0]": UPDATED,
        "aws_vpc_endpoint.s3": UPDATED,
    }


def test_a_variable_that_cannot_be_is_refused_in_our_words(local_roots: LocalRoots) -> None:
    with pytest.raises(CommandFailed) as refused:
        changes(local_roots.root("services/api", {"image_tag": "latest", "memory": "1"}))
    assert "image_tag must be a version" in str(refused.value)
    assert "memory must be from 256" in str(refused.value)


def test_a_second_environment_is_all_new_and_leaves_the_first_alone(
    second: LocalRoots, local_roots: LocalRoots
) -> None:
    assert second.state_bucket != local_roots.state_bucket
    messaging = second.root("messaging")
    second.initialise(messaging)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        new, old = threads.map(changes, (messaging, local_roots.root("messaging")))
    assert {change.actions for change in new} == {CREATED}
    assert old == ()


def test_the_plan_roles_may_plan_every_root_that_workflows_plan(
    for_workflows: LocalRoots, provisioned: Provisioned
) -> None:
    of_account = {"account"}
    for environment, names in (("shared", of_account), ("local", set(ORDER) - of_account)):
        with taken(provisioned.endpoint, f"emails-{environment}-github-plan") as keys:
            theirs = for_workflows.signing_with(keys)
            roots = [theirs.root(name, FOR_WORKFLOWS.get(name)) for name in ORDER if name in names]
            assert infra.plan(roots, lambda *_: None) == []


@pytest.mark.usefixtures("docker", "for_workflows")
def test_the_build_role_may_do_what_a_release_takes(
    provisioned: Provisioned,
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = ["--root", str(repository.root)]
    place = {"AWS_ENDPOINT_URL": provisioned.endpoint, "AWS_DEFAULT_REGION": REGION, "DOCKER_CONFIG": str(tmp_path)}
    with taken(provisioned.endpoint, "emails-shared-github-build") as keys:
        for name, value in {**place, **keys}.items():
            monkeypatch.setenv(name, value)
        release(repository, "feat: published by a workflow")
        assert main([*root, "unpublished", "--repositories", "emails", "--json"]) == 0
        assert [each["service"] for each in json.loads(output(capsys))] == ["worker"]
        assert main([*root, "amis"]) == 0


def test_nothing_is_left_when_all_is_destroyed(
    local_roots: LocalRoots, second: LocalRoots, aws: Callable[[str], Client]
) -> None:
    assert [asked for asked, names in made(aws).items() if not names] == [], "these ask where nothing is"
    with ThreadPoolExecutor(1) as beside:
        other = beside.submit(second.destroy, (BOOTSTRAP,))
        local_roots.destroy(tuple(NEEDS))
        other.result()
    assert {asked: names for asked, names in made(aws).items() if names} == {}
