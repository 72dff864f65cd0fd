"""What whoever runs the pipeline sees: health, readiness, the API's description, the logs."""

from __future__ import annotations

import json

import pytest

from services.pipeline.message import Email
from sim.client.api import Client
from sim.client.tracker import EmailTracker
from sim.host.waiting import until
from sim.targets.target import Capability, Target


def test_health_is_ok_and_cheap(client: Client) -> None:
    answer = client.request("GET", "/health")
    assert (answer.status, answer.document["detail"]) == (200, "ok\n")


def test_ready_names_what_the_api_depends_on(client: Client) -> None:
    answer = client.request("GET", "/ready")
    assert (answer.status, answer.document) == (200, {"status": "ready", "checks": {"queue": "ok", "token": "ok"}})


def test_the_api_describes_itself(client: Client) -> None:
    document = client.request("GET", "/openapi.json").document
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {"/publish", "/health", "/ready", "/openapi.json"}  # type: ignore[call-overload]  # an OpenAPI document


@pytest.mark.needs(Capability.OBJECTS, Capability.QUEUE)
def test_logs_are_json_and_tell_the_way_of_an_email_but_not_the_email(
    target: Target, tracker: EmailTracker, client: Client, email: Email
) -> None:
    marked = email.model_copy(update={"email_subject": "subject-zzqx", "email_content": "content-zzqx"})
    message_id = tracker.publish(marked)
    client.post(json.dumps({"token": "wrong-zzqx", "data": {"x": "field-zzqx"}}).encode())
    tracker.verify()
    until(lambda: message_id in target.logs()["worker"], "the worker's log line", seconds=5)
    for service in ("api", "worker"):
        log = target.logs()[service]
        lines = [json.loads(line) for line in log.splitlines()]
        assert any(line.get("message_id") == message_id for line in lines)
        assert "zzqx" not in log
        assert client.token not in log
