"""Deployments in the local cloud: how they end, and what runs then. That tasks run is told to it in `conftest.py`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from release.deploy import Outcome
from release.ecr import Repository
from release.ecs import Service, Time
from release.errors import Busy, NotPublished, SmokeFailed
from release.lock import KEY, LEASE_SECONDS, Lock, Record
from tests.cloud.ecs import CLUSTER
from tests.cloud.shared import Client
from tests.release.conftest import Place


class Interrupted(BaseException):
    """What SIGTERM makes of a deployment."""


def running(place: Place) -> str:
    """The digest of the image that the service's task definition names."""
    definition = place.cluster.described()["taskDefinition"]
    described = place.aws("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
    return str(described["containerDefinitions"][0]["image"]).partition("@")[2]


@pytest.fixture
def deployed(place: Place) -> Place:
    """With 1.0.0 deployed, and 1.1.0 published."""
    place.publish("1.0.0")
    assert place.deploy("1.0.0").outcome is Outcome.DEPLOYED
    place.publish("1.1.0")
    return place


def fail(place: Place, version: str) -> None:
    """Makes the smoke test fail while this version runs."""
    digest = place.repository.digest(version)

    def smoke() -> None:
        if running(place) == digest:
            raise SmokeFailed("3 failed, 90 passed")

    place.smoke = smoke


def test_a_version_is_deployed_by_its_digest(deployed: Place) -> None:
    verdict = deployed.deploy("1.1.0")
    digest = deployed.repository.digest("1.1.0")
    assert (verdict.outcome, verdict.runs, running(deployed)) == (Outcome.DEPLOYED, digest, digest)
    assert f"the image becomes {digest}" in deployed.progress
    assert not deployed.locked()


def test_what_runs_and_what_ran_is_kept_from_being_expired(deployed: Place) -> None:
    deployed.deploy("1.1.0")
    for version in ("1.0.0", "1.1.0"):
        digest = deployed.repository.digest(version)
        assert f"deployed-staging-{digest[7:19]}" in deployed.repository.tags(digest)
    assert deployed.deploy("1.1.0").good, "the tags are there already"


def test_an_image_that_cannot_be_kept_is_not_deployed(deployed: Place) -> None:
    deployer = deployed.deployer()
    ecr = deployed.aws("ecr")
    refuse(ecr, "PutImage")
    with pytest.raises(ClientError):
        replace(deployer, repository=Repository(ecr, "emails/api")).deploy("1.1.0", "ann", "this run")
    assert running(deployed) == deployed.repository.digest("1.0.0")
    assert not deployed.locked()


def test_what_runs_may_be_gone_from_the_repository(deployed: Place) -> None:
    gone = deployed.repository.digest("1.0.0")
    deployed.aws("ecr").batch_delete_image(repositoryName="emails/api", imageIds=[{"imageDigest": gone}])
    assert deployed.deploy("1.1.0").outcome is Outcome.DEPLOYED
    assert any("there may be no way back" in each for each in deployed.progress)


def test_the_root_says_how_long_a_deployment_may_take(deployed: Place) -> None:
    deployed.root.timeout_seconds = 1800
    deployed.agents.bad.add(deployed.repository.digest("1.1.0"))
    assert "not stable after 1800 s" in deployed.deploy("1.1.0").why


def test_deploying_what_runs_changes_nothing_but_is_tested(deployed: Place) -> None:
    images = list(deployed.root.images)
    tested: list[str] = []
    deployed.smoke = lambda: tested.append(running(deployed))
    verdict = deployed.deploy("1.0.0")
    assert (verdict.outcome, deployed.root.images) == (Outcome.UNCHANGED, images)
    assert tested == [deployed.repository.digest("1.0.0")]


def test_a_version_that_is_not_there_changes_nothing(deployed: Place) -> None:
    images = list(deployed.root.images)
    with pytest.raises(NotPublished, match=r"has no 2\.0\.0; it has 1\.1\.0, 1\.0\.0"):
        deployed.deploy("2.0.0")
    assert deployed.root.images == images
    assert not deployed.locked()


def test_a_failed_smoke_test_brings_the_version_before_it_back(deployed: Place) -> None:
    fail(deployed, "1.1.0")
    verdict = deployed.deploy("1.1.0")
    before = deployed.repository.digest("1.0.0")
    assert (verdict.outcome, verdict.runs, running(deployed)) == (Outcome.ROLLED_BACK, before, before)
    assert "3 failed, 90 passed" in str(verdict)
    assert not deployed.locked()


def test_tasks_that_do_not_start_bring_it_back_and_say_why(deployed: Place) -> None:
    deployed.agents.bad.add(deployed.repository.digest("1.1.0"))
    verdict = deployed.deploy("1.1.0")
    assert verdict.outcome is Outcome.ROLLED_BACK
    assert running(deployed) == deployed.repository.digest("1.0.0")
    assert "not stable after 900 s" in verdict.why
    assert "CannotPullContainerError: no such manifest" in verdict.why
    assert "deployment completed" in verdict.why, "the service's events are there"


def test_an_apply_that_is_refused_leaves_what_ran(deployed: Place) -> None:
    deployed.root.refused.add(deployed.repository.digest("1.1.0"))
    verdict = deployed.deploy("1.1.0")
    assert (verdict.outcome, running(deployed)) == (Outcome.ROLLED_BACK, deployed.repository.digest("1.0.0"))


def test_the_first_deployment_has_nothing_to_go_back_to(place: Place) -> None:
    place.publish("1.0.0")
    fail(place, "1.0.0")
    verdict = place.deploy("1.0.0")
    assert verdict.outcome is Outcome.FAILED
    assert "no other version to go back to" in verdict.why


def test_of_two_at_once_one_is_refused_and_disturbs_nothing(deployed: Place) -> None:
    refused: list[str] = []

    def another() -> None:
        deployed.agents.before = lambda: None
        with pytest.raises(Busy) as raised:
            deployed.deploy("1.0.0", "ben")
        refused.append(str(raised.value))

    deployed.agents.before = another
    verdict = deployed.deploy("1.1.0")
    assert (verdict.outcome, running(deployed)) == (Outcome.DEPLOYED, deployed.repository.digest("1.1.0"))
    assert "a deployment of api 1.1.0 by ann is under way" in refused[0]


def interrupt(place: Place) -> None:
    """Ends a deployment of 1.1.0 between its apply and ECS's word that it is stable."""

    def end() -> None:
        raise Interrupted

    place.agents.before = end
    with pytest.raises(Interrupted):
        place.deploy("1.1.0")
    place.agents.before = lambda: None
    assert running(place) == place.repository.digest("1.1.0")


def test_an_interrupted_one_is_run_again_and_goes_on_where_it_was(deployed: Place) -> None:
    interrupt(deployed)
    verdict = deployed.deploy("1.1.0", "ben")
    assert verdict.good
    assert len(deployed.cluster.described()["deployments"]) == 1
    assert not deployed.locked()


def test_an_interrupted_one_run_again_still_knows_what_ran_before_it(deployed: Place) -> None:
    interrupt(deployed)
    fail(deployed, "1.1.0")
    verdict = deployed.deploy("1.1.0", "ben")
    before = deployed.repository.digest("1.0.0")
    assert (verdict.outcome, running(deployed)) == (Outcome.ROLLED_BACK, before)


def test_one_that_died_without_a_word_is_gone_on_with_when_its_lease_is_over(deployed: Place) -> None:
    interrupt(deployed)
    s3 = deployed.aws("s3")
    record = json.loads(s3.get_object(Bucket=deployed.states, Key=KEY)["Body"].read())
    s3.put_object(Bucket=deployed.states, Key=KEY, Body=json.dumps(record | {"until": deployed.now() + LEASE_SECONDS}))
    with pytest.raises(Busy, match="try again in 900 s"):
        deployed.deploy("1.1.0", "ben")
    deployed.now = lambda: 1_000_001.0 + LEASE_SECONDS
    assert deployed.deploy("1.1.0", "ben").good


def test_what_ran_before_is_read_when_nobody_else_can_change_it(deployed: Place) -> None:
    """Another deployment ends between the start of this one and its lock: this one goes back to that one's version."""
    deployed.publish("1.2.0")
    fail(deployed, "1.2.0")
    lock = deployed.deployer().lock
    with lock.held(Record("ben", "another run", "api", "1.1.0")) as other:
        other.begin(deployed.repository.digest("1.0.0"))
        waits: list[float] = []

        def end(seconds: float) -> None:
            waits.append(seconds)
            deployed.root.apply(deployed.root.plan(plan, {"image_tag": deployed.repository.digest("1.1.0")}))
            other.release()

        plan = deployed.directory / "plan"
        patient = Lock(deployed.aws("s3"), deployed.states, deployed.now, end, progress=print, patience=60)
        verdict = replace(deployed.deployer(), lock=patient).deploy("1.2.0", "ann", "this run")
    assert waits == [15]
    assert (verdict.outcome, verdict.runs) == (Outcome.ROLLED_BACK, deployed.repository.digest("1.1.0"))
    assert not deployed.locked()


def test_a_call_that_fails_while_a_failure_is_described_does_not_hide_it_or_keep_what_is_bad(deployed: Place) -> None:
    deployed.agents.bad.add(deployed.repository.digest("1.1.0"))
    deployer = deployed.deployer()
    ecs = deployed.aws("ecs")
    refuse(ecs, "ListTasks")
    service = Service(ecs, CLUSTER, "api", Time(deployed.agents.now, deployed.agents.step))
    verdict = replace(deployer, ecs=service).deploy("1.1.0", "ann", "this run")
    assert (verdict.outcome, running(deployed)) == (Outcome.ROLLED_BACK, deployed.repository.digest("1.0.0"))
    assert "not stable after 900 s" in verdict.why
    assert "could not be read: " in verdict.why


def test_a_smoke_test_that_cannot_be_prepared_is_a_failed_one(deployed: Place) -> None:
    ssm = deployed.aws("ssm")

    def smoke() -> None:
        if running(deployed) == deployed.repository.digest("1.1.0"):
            ssm.get_parameter(Name="/not/there")

    deployed.smoke = smoke
    verdict = deployed.deploy("1.1.0")
    assert (verdict.outcome, running(deployed)) == (Outcome.ROLLED_BACK, deployed.repository.digest("1.0.0"))
    assert "ParameterNotFound" in verdict.why


def refuse(client: Client, operation: str) -> None:
    """Makes every call of the operation fail, as a role without the permission would."""

    def answer(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

    client.meta.events.register(f"before-call.*.{operation}", answer)
