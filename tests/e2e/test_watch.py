"""The live page of the running target: it shows what AWS says, and what is done by it happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn, get_args

import pytest
from playwright.sync_api import Browser, Page

from services.pipeline.message import Email
from sim.client.load import publishing
from sim.client.tracker import EmailTracker
from sim.cloud.aws_client import local_session
from sim.host.waiting import until
from sim.stack.page import PagePart
from sim.stack.supervisor import state_of
from sim.targets.cluster import ClusterTarget
from sim.targets.docker import DockerTarget
from sim.targets.process import ProcessTarget
from sim.targets.target import Capability, Provision, Target
from sim.watch.watch import Watch
from sim.watch.watched import RunningStack
from tests.browsing import SECONDS, Scheme, browser, comes_true, opened, photograph, shows, texts, value
from tests.e2e.deployments import SECONDS as DEPLOYED
from tests.e2e.deployments import cluster, defined_with, ecs_of

__all__ = ["browser", "cluster"]


@pytest.fixture
def watch(target: Target) -> Iterator[Watch]:
    """The target, watched as by `sim watch`."""
    if not isinstance(target, ProcessTarget | DockerTarget | ClusterTarget):
        pytest.skip(f"not applicable: target {target.name} is no stack of `sim up`")
    with (
        target.followed() if isinstance(target, DockerTarget) else nullcontext(),
        # Its process is not started, so it needs no folder: a smoke test of AWS leaves none behind.
        PagePart(Path()) as part,
        Watch(RunningStack(lambda: state_of(target, Provision.KIT, part), _no_deployment)) as watch,
    ):
        yield watch


@pytest.fixture
def page(watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page in a browser."""
    # Not for a target whose tests are skipped.
    browser: Browser = request.getfixturevalue("browser")
    with opened(browser, watch.link) as page:
        yield page


def _no_deployment(_: object) -> NoReturn:
    raise AssertionError("no test deploys by the page")


def test_it_shows_what_aws_says(page: Page, target: Target, tracker: EmailTracker, email: Email) -> None:
    stored = len(target.data_plane.object_keys())
    before = value(page, "bucket.objects")
    assert before == stored
    for number in range(5):
        tracker.publish(email.model_copy(update={"email_subject": f"number {number}"}))
    tracker.verify()
    # A large bucket is counted seldom.
    shows(page, {"bucket.objects": stored + 5, "queue.visible": 0, "queue.in_flight": 0}, DEPLOYED)
    dead = target.data_plane.dead_letter_depth()
    assert value(page, "dead_letters.visible") == dead.visible + dead.in_flight
    assert value(page, "api.healthy") == value(page, "api.desired") > 0
    if isinstance(target, ClusterTarget):
        assert _shown(page) == _said_by_aws(target)


def test_a_fault_that_is_injected_hits_calls_and_ends(page: Page, target: Target) -> None:
    page.click("#break")
    page.select_option("[name=caller]", "worker")
    page.fill("[name=share]", "100")
    page.click("text=Inject it")
    page.wait_for_selector("#faults >> text=throttle")
    [rule] = target.gateway_control.state().plan.rules
    assert (rule.fault, rule.caller, rule.probability) == ("throttle", "worker", 1)
    comes_true(page, "document.querySelector('#node-worker .calls').textContent.includes('AWS calls/s fail')")
    page.click("#faults button")
    page.wait_for_selector("text=Nothing is broken on purpose.")
    assert not target.gateway_control.state().plan.rules


@pytest.mark.needs(Capability.DEPLOY)
def test_a_task_that_is_killed_by_it_is_replaced(page: Page, cluster: ClusterTarget) -> None:
    [worker, *_] = [name for name, service in _shown(page).items() if service == "worker"]
    page.click(f"[data-task='{worker}']")
    page.wait_for_selector(".log")
    page.click("text=Permissions of its role")
    assert "s3:PutObject" in page.inner_text(".permissions")
    assert cluster.token() not in page.inner_text("#detail")
    page.click("text=Kill it")
    page.click("#ask-yes")
    page.wait_for_selector(f"[data-task='{worker}']", state="detached")
    cluster.service("worker").await_healthy(DEPLOYED)
    until(lambda: _shown(page) == _said_by_aws(cluster), "the same tasks", seconds=SECONDS, seen=lambda: _shown(page))


@pytest.mark.needs(Capability.DEPLOY)
def test_a_deployment_is_seen_from_its_first_task_to_its_last(
    page: Page, cluster: ClusterTarget, tmp_path: Path
) -> None:
    api, version = cluster.service("api"), cluster.deployment.made_of_checkout("api")
    new = defined_with(cluster, version)
    tags = "Array.from(document.querySelectorAll('#node-api .tag'), (each) => each.textContent)"
    half = f"""(() => {{
        const healthy = Array.from(document.querySelectorAll('.task[data-health=good]'))
            .filter((each) => each.querySelector('.service').textContent === 'api')
            .map((each) => each.querySelector('.version').textContent);
        return healthy.includes('{version}') && healthy.some((each) => each !== '{version}');
    }})()"""
    with publishing(cluster.client(), 4):
        ecs_of(cluster).update_service(cluster=api.cluster, service=api.name, taskDefinition=new)
        comes_true(page, half, DEPLOYED)
        for scheme in get_args(Scheme):
            page.emulate_media(color_scheme=scheme)
            assert 10_000 < photograph(page, scheme, tmp_path).stat().st_size < 300_000
        comes_true(page, f"{tags}.every((tag) => tag.includes('{version}'))", DEPLOYED)
    assert any(version in each for each in texts(page, "#moments [data-kind=deployment]"))
    assert _shown(page) == _said_by_aws(cluster)


def _shown(page: Page) -> dict[str, str]:
    """The service of each task on the page."""
    pairs = "(all) => all.map((each) => [each.dataset.task, each.querySelector('.service').textContent])"
    return dict(page.eval_on_selector_all(".task", pairs))


def _said_by_aws(cluster: ClusterTarget) -> dict[str, str]:
    """The same, from ListTasks."""
    ecs: Any = local_session().client("ecs", endpoint_url=cluster.data_plane.endpoint)
    return {
        arn.rpartition("/")[2]: name
        for name, of in (("api", cluster.service("api")), ("worker", cluster.service("worker")))
        for arn in ecs.list_tasks(cluster=of.cluster, serviceName=of.name)["taskArns"]
    }
