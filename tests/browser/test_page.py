"""The live page in a browser, over observations that are made up: what it shows, asks and sends, and for whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from sim.cloud.permissions import Row
from sim.faults.plan import Fault, FaultPlan, Rule
from sim.host.waiting import until
from sim.watch.board import Board
from sim.watch.detail import Container, TaskDetail
from sim.watch.draw import draw
from sim.watch.guard import Guard
from sim.watch.observed import Observation
from sim.watch.server import create_app, serve
from sim.watch.wanted import Cut, Inject, LoseTask, Scale, Wanted
from tests.browsing import SECONDS, Scheme, accessible, browser, comes_true, opened, shows, texts
from tests.unit.watch.seen import (
    ALB,
    AT,
    BALANCER,
    GROUP,
    alarm,
    board,
    cluster,
    instance,
    observation,
    project,
    queue,
    rolling,
)

__all__ = ["browser"]

TOKEN = "token-of-this-run"
MANY = 1000
PICTURES = 5
LOG = '{"timestamp": "2027-01-15T08:00:00+00:00", "level": "INFO", "message": "request", "status": 200}'


class Live:
    """A server whose stack is what a test shows."""

    def __init__(self) -> None:
        self._board = Board()
        self.performed: list[Wanted] = []
        self.show(observation(cluster()))
        self._server = serve(0, lambda port: create_app(Guard(port, TOKEN), self._board, _detail, self._perform))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.link = f"http://127.0.0.1:{self._server.port}/#{TOKEN}"

    def show(self, seen: Observation) -> None:
        self._board.show(draw(seen, self._board.drawn))

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _perform(self, wanted: Wanted) -> str:
        self.performed.append(wanted)
        return "it is done"


def _detail(_: str) -> TaskDetail:
    return TaskDetail(
        "api:1",
        "08:00:00",
        [Container("api", "api:1.4.0", "RUNNING", {"A": "b"}, {"WORD": "/w"}, [LOG])],
        [
            Row("api", "denied", "kms:Decrypt on key/1", "no statement", 1, "GetParameter"),
            Row("api", "used", "sqs:SendMessage", "Publish of api", 12, "SendMessageBatch 12"),
        ],
    )


@pytest.fixture
def live() -> Iterator[Live]:
    server = Live()
    yield server
    server.close()


@pytest.fixture
def page(browser: Browser, live: Live) -> Iterator[Page]:
    with opened(browser, live.link) as page:
        yield page


def test_it_shows_what_was_observed_and_then_what_changes(live: Live, page: Page) -> None:
    shows(
        page,
        {"api.healthy": 2, "worker.healthy": 1, f"{BALANCER}.in_service": 2, "queue.visible": 0, "bucket.objects": 0},
    )
    assert sorted(texts(page, ".zone h3")) == ["eu-central-1a", "eu-central-1b"]
    assert page.locator(".task").count() == 3
    seen = rolling(cluster(), 1)
    lost = replace(seen, instances=[instance(0), instance(1, connected=False)], alarms=[alarm("late", "ALARM")])
    rule = Rule(Fault.THROTTLE, service="s3", probability=0.5)
    live.show(
        observation(lost, AT + 1, waiting=queue(41, 7), objects=1234, plan=FaultPlan((rule,)), answered={"503": 8})
    )
    shows(page, {"queue.visible": 41, "queue.in_flight": 7, "bucket.objects": 1234, "entry.rate": 4})
    assert "rolling out 1.5.0: 1 of 2, 1 to replace" in page.inner_text("#node-api")
    assert "5xx failed 4/s" in page.inner_text("#entries")
    chips = [" ".join(each.split()) for each in texts(page, ".task")]
    assert sum(each.startswith("■ api 1.5.0 ✓ healthy, task ") for each in chips) == 1, chips
    assert "✕ cut off" in page.inner_text(f"[data-instance={instance(1)['ec2InstanceId']}]")
    assert texts(page, "#faults b") == ["⚡ throttle", "⚡ instance lost"]
    assert "! alarm" in page.inner_text("#alarms")
    assert "deployment of api: 1.5.0 is to replace 1.4.0" in page.inner_text("#moments")


@pytest.mark.parametrize(("scheme", "rules"), [("light", ()), ("dark", ("color-contrast",))])
def test_it_is_accessible(browser: Browser, live: Live, scheme: Scheme, rules: tuple[str, ...]) -> None:
    seen = rolling(cluster(tasks=4, instances=4), 2)
    down = [instance(0), instance(1), instance(2, connected=False), instance(3, status="DRAINING")]
    busy = observation(
        replace(
            seen, instances=down, alarms=[alarm("emails-late", "ALARM"), alarm("emails-dead", "INSUFFICIENT_DATA")]
        ),
        AT + 1,
        cut=("worker-s3",),
        trouble="SQS does not answer",
        dead_letters=queue(2),
        answered={"200": 50, "429": 4, "503": 3},
    )
    with opened(browser, live.link, scheme) as page:
        live.show(busy)
        shows(page, {"dead_letters.visible": 2})
        accessible(page, *rules)
        page.click(".task >> nth=0")
        page.wait_for_selector(".log")
        accessible(page, *rules)
        page.click("text=Kill it")
        accessible(page, *rules)
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.click("#node-api")
        accessible(page, *rules)
        page.keyboard.press("Escape")
        page.click("#break")
        accessible(page, *rules)


def test_a_project_is_its_load_balancers_and_services_and_has_no_queue_and_no_bucket(live: Live, page: Page) -> None:
    live.show(project(answered={"shop-web": {"200": 0}}))
    live.show(project(AT + 1, answered={"shop-web": {"200": 8}}))
    page.reload()
    shows(page, {"entry.rate": 4, "shop-web.in_service": 1, "shop-web.registered": 2, "shop-admin.in_service": 1})
    assert texts(page, "#entries h2") == ["Load balancer shop-admin", "Load balancer shop-web"]
    assert "port 81: 127.0.0.1:4702" in page.inner_text("[data-entry=shop-admin]")
    assert texts(page, ".node .title") == ["admin", "web", "watch"]
    assert "behind shop-web" in page.inner_text("#node-web")
    assert texts(page, f"[data-instance={instance(1)['ec2InstanceId']}] .badge") == [
        "✓ in service of shop-admin",
        "✕ out of service of shop-web",
    ]
    for nothing in ("#node-bucket", "#node-queue", "#node-dead", "#second-services", "#break", "#nat"):
        assert not page.is_visible(nothing), nothing
    accessible(page)
    page.click("#node-web")
    assert page.locator("#detail .row").count() == 1, "it is scaled, and not deployed"
    page.fill("#detail input", "3")
    page.click("#detail >> text=Scale")
    page.click("#ask-yes")
    until(lambda: live.performed, "the act", seconds=SECONDS)
    assert live.performed == [Scale("scale", "web", 3)]


def test_an_alb_is_its_rules_its_target_groups_and_the_ports_of_tasks(live: Live, page: Page) -> None:
    live.show(board(answered={ALB: {"200": 0}, GROUP: {"200": 0}}))
    live.show(
        board(
            AT + 1,
            ("healthy", "unhealthy", "draining"),
            answered={ALB: {"200": 8, "301": 4}, GROUP: {"200": 8}},
        )
    )
    page.reload()
    shows(page, {"app/board.in_service": 1, "app/board.registered": 2, "targetgroup/board-web.in_service": 1})
    assert page.inner_text("#title") == "The cluster board"
    entry = page.inner_text("#entries")
    assert "port 80, path /old/*: redirects, 301" in entry
    assert "3xx redirected 2/s" in entry
    group = page.inner_text("[data-group=board-web]")
    for words in ("from board port 80", "1 draining, 1 unhealthy", "2xx good 4/s"):
        assert words in group, group
    assert "behind board-web" in page.inner_text("#node-web")
    more = sorted(texts(page, ".task .more"))
    assert [each.partition(" · ")[::2] for each in more] == [
        ("web + clock", "port 32768 healthy"),
        ("web + clock", "port 32768 unhealthy"),
        ("web + clock", "port 32769 draining"),
    ]
    accessible(page)
    page.click(".task[data-health=bad]")
    assert "unhealthy: Health checks failed" in page.inner_text("#facts")


def test_a_dangerous_act_asks_first_and_goes_by_the_keyboard_alone(live: Live, page: Page) -> None:
    chosen = page.locator(".task").first
    name = chosen.get_attribute("data-task") or ""
    chosen.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#detail[open] .log")
    assert "INFO request status=200" in page.inner_text(".log")
    page.click("text=Permissions of its role: 1 denied, 1 used")
    assert "sqs:SendMessage, 12 calls, Publish of api" in page.inner_text(".permissions")
    assert "✕ denied" in page.inner_text(".permissions")
    page.click("summary")
    assert "secret, from /w" in page.inner_text("#detail-body")
    for answer in ("Escape", "Enter"):
        page.locator("#detail-acts button", has_text="Kill it").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#ask[open]")
        assert not live.performed
        page.keyboard.press("Tab")
        page.keyboard.press(answer)
    until(lambda: live.performed, "the act", seconds=SECONDS)
    assert live.performed == [LoseTask("lose-task", name)]
    page.wait_for_selector("text=✓ it is done")


def test_a_service_is_scaled_and_faults_are_injected(live: Live, page: Page) -> None:
    page.click("#node-worker")
    page.fill("#detail input", "5")
    page.click("#detail >> text=Scale")
    page.click("#ask-yes")
    page.click("#break")
    page.select_option("[name=fault]", "latency")
    page.select_option("[name=caller]", "worker")
    page.fill("[name=seconds]", "2.5")
    page.click("text=Inject it")
    page.click("#break")
    page.select_option("[name=fault]", "partition")
    assert not page.is_visible("[name=share]")
    page.click("text=Inject it")
    until(lambda: len(live.performed) == 3, "three acts", seconds=SECONDS, seen=lambda: live.performed)
    assert live.performed == [
        Scale("scale", "worker", 5),
        Inject("inject", Rule(Fault.LATENCY, caller="worker", probability=0.3, seconds=2.5)),
        Cut("cut", "worker", "sqs"),
    ]


def test_a_thousand_tasks_change_without_a_stutter(live: Live, page: Page) -> None:
    """What changes is what is drawn: the other elements stay, and a picture costs the page little of its second."""
    seen = cluster(tasks=MANY, instances=50)
    live.show(observation(seen, AT + 1))
    comes_true(page, f"document.querySelectorAll('.task').length === {MANY + 1}")
    page.evaluate(
        """() => {
            window.drawn = new Set();
            new MutationObserver((all) => all.forEach((each) => window.drawn.add(each.target.closest('.task'))))
                .observe(document.querySelector('#zones'), {subtree: true, attributes: true, childList: true});
        }"""
    )
    tools = page.context.new_cdp_session(page)
    # The time of its thread: what other programs take of a busy machine is not counted.
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _busy_seconds(tools)
    sick = [{**each, "healthStatus": "UNHEALTHY"} for each in seen.tasks[:20]]
    for second in range(PICTURES):
        tasks = [*(sick if second % 2 == 0 else seen.tasks[:20]), *seen.tasks[20:]]
        live.show(observation(replace(seen, tasks=tasks), AT + 2 + second, waiting=queue(second + 1)))
        shows(page, {"queue.visible": second + 1})
    assert page.locator(".task[data-health=bad]").count() == 20
    assert page.evaluate("[...window.drawn].filter(Boolean).length") <= 20
    assert (_busy_seconds(tools) - before) / PICTURES < 0.1


def _busy_seconds(tools: CDPSession) -> float:
    """How long the page has run code, worked out styles, and laid out."""
    metrics = {each["name"]: each["value"] for each in tools.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ScriptDuration"] + metrics["RecalcStyleDuration"] + metrics["LayoutDuration"])


def test_without_the_token_it_says_where_the_link_is(browser: Browser, live: Live) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(live.link.partition("#")[0])
        assert "Open the link that `sim up` or `sim watch` has printed" in page.inner_text("#banner")
