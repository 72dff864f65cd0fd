"""A control plane over HTTP as far as agents know it: a desired state, and a record of what they report."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sim.cloud.desired import PATH
from sim.cluster.desired import Desired, DesiredBalancer, DesiredInstance, DesiredTask, Place, to_json

PLACE = Place("000000000000", "eu-central-1")
CLUSTER = "arn:aws:ecs:eu-central-1:000000000000:cluster/mail"
_LONGEST_POLL = 1.0


def an_instance(number: int = 1, **changes: Any) -> DesiredInstance:
    """An instance that has registered."""
    return replace(
        DesiredInstance(
            id=f"i-{number}",
            place=PLACE,
            zone="eu-central-1a",
            address=f"10.0.0.{number}",
            instance_type="t3.small",
            image_id="ami-1",
            user_data="#!/bin/bash\necho ECS_CLUSTER=mail >> /etc/ecs/ecs.config\n",
            container_instance=f"arn:aws:ecs:eu-central-1:000000000000:container-instance/mail/{number}",
        ),
        **changes,
    )


def a_task(identifier: str, *containers: Mapping[str, Any], instance: int = 1, **changes: Any) -> DesiredTask:
    """A task that is to run. A container has a name, an image and memory if it says no other."""
    defined = [{"name": f"c{n}", "image": "app", "memory": 64, **each} for n, each in enumerate(containers or ({},))]
    return replace(
        DesiredTask(
            arn=f"arn:aws:ecs:eu-central-1:000000000000:task/mail/{identifier}",
            place=PLACE,
            cluster=CLUSTER,
            container_instance=f"arn:aws:ecs:eu-central-1:000000000000:container-instance/mail/{instance}",
            definition={
                "taskDefinitionArn": "arn:aws:ecs:r:1:task-definition/app:3",
                "family": "app",
                "revision": 3,
                "containerDefinitions": defined,
            },
            overrides={},
            group="service:app",
            started_by="ecs-svc/1",
            created_at=0.0,
            desired_status="RUNNING",
        ),
        **changes,
    )


class FakeControlPlane:
    """Hands out `desired`, and keeps every report."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._desired = Desired(1)
        self.forget()

    def forget(self) -> None:
        """Forgets all reports and answers."""
        self.reports: list[tuple[str, Any]] = []
        """What was called, an operation or a path, and with what."""
        self.signers: set[tuple[str, str]] = set()
        """Operations, and the access keys with which they were called."""
        self.keys: dict[str, str] = {}
        """The access keys that are handed out, by path. Elsewhere there are none."""
        self.answers: dict[str, Any] = {
            "DescribeRepositories": {"repositories": []},
            "GetAuthorizationToken": {"authorizationData": []},
        }
        """The answers of operations, by name; a text is the name of an error."""

    def wants(
        self,
        *instances: DesiredInstance,
        tasks: tuple[DesiredTask, ...] = (),
        balancers: tuple[DesiredBalancer, ...] = (),
    ) -> None:
        """Has another desired state."""
        with self._changed:
            self._desired = Desired(self._desired.revision + 1, instances, tasks, balancers=balancers)
            self._changed.notify_all()

    def of(self, call: str) -> list[Any]:
        """What an operation, or a path, was called with."""
        return [body for name, body in list(self.reports) if name == call]

    def statuses(self, task: DesiredTask) -> list[str]:
        """The statuses of a task as they were reported."""
        return [each["status"] for each in self.of("SubmitTaskStateChange") if each["task"] == task.arn]

    def last(self, task: DesiredTask) -> dict[str, Any]:
        """The last report of a task; empty if there was none."""
        found = [each for each in self.of("SubmitTaskStateChange") if each["task"] == task.arn]
        return dict(found[-1]) if found else {}

    def address(self, instance: str, port: str) -> str:
        """Where a host port is; "" if it is nowhere."""
        tables = self.of(f"/_sim/{PLACE.account}/{PLACE.region}/ec2/{instance}/ports")
        return str(tables[-1].get(port, "")) if tables else ""

    def poll(self, after: int | None) -> str:
        """The desired state, after a while the same."""
        with self._changed:
            self._changed.wait_for(lambda: self._desired.revision != after, _LONGEST_POLL)
            return to_json(self._desired)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serves it. Its URL."""
        fake = self

        class Handler(_Handler):
            control_plane = fake

        with _Server(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """An agent that is killed leaves its poll."""


class _Handler(BaseHTTPRequestHandler):
    control_plane: FakeControlPlane

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path != PATH:
            self._hand_over_keys(url.path)
            return
        after = parse_qs(url.query).get("after")
        self._answer(self.control_plane.poll(int(after[0]) if after else None))

    def do_PUT(self) -> None:
        self.control_plane.reports.append((self.path, self._body()))
        self._answer("{}")

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.control_plane.reports.append((operation, self._body()))
        signer = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        self.control_plane.signers.add((operation, signer))
        answer = self.control_plane.answers.get(operation, {})
        if isinstance(answer, str):
            self._answer(json.dumps({"__type": answer, "message": f"it is {answer}"}), 400)
        else:
            self._answer(json.dumps(answer))

    def _hand_over_keys(self, path: str) -> None:
        key = self.control_plane.keys.get(path)
        keys = {"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": "2999-01-01T00:00:00Z"}
        self._answer(json.dumps(keys if key else {}), 200 if key else 404)

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""
