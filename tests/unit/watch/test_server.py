"""The server of the page: its files for everyone on this machine, all else for the page with the token."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sim.watch.board import Board
from sim.watch.detail import Container, NoSuchTask, TaskDetail
from sim.watch.draw import draw
from sim.watch.guard import Guard
from sim.watch.server import TOKEN, create_app
from sim.watch.wanted import Scale, Wanted
from tests.unit.watch.seen import AT, cluster, observation, queue

PORT = 8123
HERE = {"Host": f"127.0.0.1:{PORT}"}
PAGE = {**HERE, "Origin": f"http://127.0.0.1:{PORT}", TOKEN: "right"}
SCALE = {"act": "scale", "service": "api", "count": 3}


class Stack:
    """Stands for what the server asks."""

    def __init__(self) -> None:
        self.board = Board()
        self.performed: list[Wanted] = []

    def detail(self, name: str) -> TaskDetail:
        if name != "1":
            raise NoSuchTask(f"there is no task {name!r} any more")
        return TaskDetail("api:1", "12:00:00", [Container("api", "api:1.0", "RUNNING", {"A": "b"}, {}, ["hello"])])

    def perform(self, wanted: Wanted) -> str:
        self.performed.append(wanted)
        return "done"


@pytest.fixture
def stack() -> Stack:
    return Stack()


@pytest.fixture
def client(stack: Stack) -> FlaskClient:
    return create_app(Guard(PORT, "right"), stack.board, stack.detail, stack.perform).test_client()


def test_the_files_of_the_page_need_no_token_and_let_no_other_page_in(client: FlaskClient) -> None:
    for path in ("/", "/page/main.js", "/page/style.css"):
        answer = client.get(path, headers=HERE)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        answer.close()
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403


def test_an_act_is_performed_for_the_page_alone(client: FlaskClient, stack: Stack) -> None:
    def post(headers: dict[str, str]) -> TestResponse:
        return client.post("/acts", json=SCALE, headers=headers)

    for wrong in ({**PAGE, TOKEN: "wrong"}, {**PAGE, "Origin": "http://evil.example"}, {**PAGE, "Host": "evil"}, HERE):
        assert post(wrong).status_code == 403
    assert not stack.performed
    assert post(PAGE).json == {"done": "done"}
    assert stack.performed == [Scale("scale", "api", 3)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"act": "explode"}',
        b'{"act": "scale", "service": "api", "count": -1}',
        b'{"act": "scale", "service": "api"}',
        b'{"act": "restore", "more": 1}',
        b'{"act": "inject", "fault": {"fault": "latency"}}',
        b'{"act": "inject", "fault": {"fault": "throttle", "probability": 2}}',
    ],
)
def test_an_act_that_there_is_not_is_refused_with_the_reason(client: FlaskClient, stack: Stack, body: bytes) -> None:
    answer = client.post("/acts", data=body, headers=PAGE)
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["error"].startswith("not a")
    assert not stack.performed


def test_the_details_of_a_task(client: FlaskClient) -> None:
    found = client.get("/tasks/1", headers=PAGE).json
    assert found is not None
    assert found["containers"][0]["log"] == ["hello"]
    assert client.get("/tasks/2", headers=PAGE).json == {"error": "there is no task '2' any more"}
    assert client.get("/tasks/1", headers=HERE).status_code == 403


def test_events_are_the_whole_picture_and_then_what_has_changed(client: FlaskClient, stack: Stack) -> None:
    first = draw(observation(cluster()), None)
    stack.board.show(first)
    answer = client.get("/events?token=right", headers=HERE)
    assert answer.mimetype == "text/event-stream"
    events = iter(answer.iter_encoded())

    def event() -> object:
        return json.loads(next(events).decode().removeprefix("data: "))

    assert event() == json.loads(json.dumps(first.picture.document()))
    stack.board.show(draw(observation(cluster(), AT + 1, waiting=queue(5)), first))
    assert event() == {"queue": {"visible": 5, "busy_since": AT + 1}}
    answer.close()
