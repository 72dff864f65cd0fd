"""The proof of the rehearsal: settings that take every task away at once cost clients what `sim rehearse` predicted.

The API runs as 2 tasks on 2 instances. The settings are a change of production's Terraform, and the prediction is made
of the plan of that change.
"""

from __future__ import annotations

import json
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest

from sim.client.load import publishing
from sim.cloud.aws_client import local_session
from sim.cloud.desired import parsed, path
from sim.host.loopback import answers, request
from sim.host.waiting import until
from sim.targets.cluster import ClusterTarget
from sim.targets.target import Capability
from tests.e2e.deployments import SECONDS, await_completed, cluster, completed, ecs_of

__all__ = ["cluster"]

pytestmark = pytest.mark.needs(Capability.DEPLOY)

SIM: Final = Path(sysconfig.get_path("scripts")) / "sim"
ROOT: Final = "services/api"
RECKLESS: Final = """
resource "aws_ecs_service" "this" {
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100

  alarms {
    enable      = false
    rollback    = false
    alarm_names = [aws_cloudwatch_metric_alarm.errors.alarm_name]
  }
}
"""
"""Over the root's own settings, with alarms that would take such a deployment back."""
CLIENTS: Final = 8
DEPLOYMENTS: Final = 3
CHECK_SECONDS: Final = 5.0
"""The interval of the load balancer's health check."""
SHARE: Final = 0.2


@dataclass
class Seen:
    """What was seen of deployments, in seconds, and what ECS said of their tasks."""

    took: list[float] = field(default_factory=list)
    nothing: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    request: list[float] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)

    def options(self, folder: Path) -> list[str]:
        """What was measured, as the rehearsal takes it."""
        measured = folder / "tasks.json"
        measured.write_text(json.dumps({"tasks": self.tasks}, default=str))
        return [
            *("--measured", str(measured)),
            *("--start", f"{min(self.start):.2f}..{max(self.start):.2f}"),
            *("--drain", f"{min(self.request):.3f}..{max(self.request):.3f}"),
        ]


@pytest.mark.timeout(900)
def test_a_deployment_takes_and_costs_what_was_predicted_from_the_plan(cluster: ClusterTarget, tmp_path: Path) -> None:
    seen, plan = Seen(), tmp_path / "plan.json"
    with _two_instances(cluster), _settings(cluster, RECKLESS, plan):
        for _ in range(DEPLOYMENTS):
            _deploy(cluster, seen)
    predicted = _predicted(cluster, plan, [*seen.options(tmp_path), "--instances", "2"])
    assert (predicted["minimum_healthy_percent"], predicted["maximum_percent"]) == (0, 100)
    assert predicted["serving_at_least"] == 0
    _agree(predicted["seconds"], seen.took, "seconds until it is completed", seen)
    _agree(predicted["nothing_serving_seconds"], seen.nothing, "seconds without an answer", seen)


def _agree(predicted: float, seen: Sequence[float], what: str, all_seen: Seen) -> None:
    print(f"{what}: {predicted:.1f} predicted, {', '.join(f'{each:.1f}' for each in seen)} seen")
    assert abs(median(seen) - predicted) <= SHARE * predicted + CHECK_SECONDS, str(all_seen)


def _predicted(cluster: ClusterTarget, plan: Path, options: Sequence[str]) -> dict[str, Any]:
    """What `sim rehearse plan` says of the settings in a plan of the API's root."""
    files = [plan]
    for name in ("network", "cluster"):
        files.append(plan.with_name(f"{name}.json"))
        files[-1].write_text(cluster.local_roots.root(name).run("show", "-json")[1])
    command = [str(SIM), "rehearse", "plan", *map(str, files), "--alone", "--json", "--pace", "local", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [service] = json.loads(done.stdout)
    [line] = service["settings"]
    found: dict[str, Any] = line
    return found


@contextmanager
def _two_instances(cluster: ClusterTarget) -> Iterator[None]:
    """Without the spare instance: each of the two has a task of the API. Nor does the group launch another one."""
    ecs, api, acts = ecs_of(cluster), cluster.service("api"), cluster.acts
    used = {acts.instance_of(each) for each in api.tasks()}
    arns = ecs.list_container_instances(cluster=api.cluster)["containerInstanceArns"]
    described = ecs.describe_container_instances(cluster=api.cluster, containerInstances=arns)["containerInstances"]
    spare = [each["ec2InstanceId"] for each in described if each["ec2InstanceId"] not in used]
    assert len(used) == 2
    autoscaling: Any = local_session().client("autoscaling", endpoint_url=cluster.data_plane.endpoint)
    [group] = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    launching = {"AutoScalingGroupName": group["AutoScalingGroupName"], "ScalingProcesses": ["Launch"]}
    # Tasks that wait for an old one to end would make the capacity provider launch an instance, here at once.
    autoscaling.suspend_processes(**launching)
    for each in spare:
        acts.drain(each)
    try:
        yield
    finally:
        for each in spare:
            acts.activate(each)
        autoscaling.resume_processes(**launching)


@contextmanager
def _settings(cluster: ClusterTarget, override: str, plan: Path) -> Iterator[None]:
    """The API with settings over those of its root. `plan` becomes the plan of the change, as JSON."""
    root = cluster.local_roots.root(ROOT)
    cluster.local_roots.initialise(root)
    file, saved = root.directory / "settings_override.tf", plan.with_suffix("")

    def apply() -> None:
        root.apply(root.plan(saved, {"image_tag": root.image_tag() or ""}))
        await_completed(cluster)

    file.write_text(override)
    try:
        apply()
        plan.write_text(root.run("show", "-json", str(saved))[1])
        yield
    finally:
        file.unlink()
        apply()


def _deploy(cluster: ClusterTarget, seen: Seen) -> None:
    """A new deployment of the API while clients publish, from its order until ECS says that it is completed."""
    api = cluster.service("api")
    before = {each["taskArn"] for each in api.tasks()}
    answering: dict[str, float] = {}
    nothing = 0.0
    with publishing(cluster.client(), CLIENTS) as load:
        until(lambda: load.requests > CLIENTS, "clients to publish", seconds=SECONDS)
        seen.request += [load.percentile(0.0), load.percentile(1.0)]
        began = looked = time.time()
        ecs_of(cluster).update_service(cluster=api.cluster, service=api.name, forceNewDeployment=True)

        def over() -> bool:
            nonlocal nothing, looked
            was, looked = looked, time.time()
            if not answers(f"{cluster.url}/health", seconds=1):
                nothing += looked - was
            for task in _answering(cluster, before):
                answering.setdefault(task, time.time())
            # A task whose check was quicker than this look is looked at again.
            return completed(cluster) and all(each["taskArn"] in answering for each in api.tasks())

        until(over, "the deployment to be completed", seconds=SECONDS, seen=api.summary)
        seen.took.append(time.time() - began)
    seen.nothing.append(nothing)
    now = api.tasks()
    seen.start += [answering[each["taskArn"]] - each["startedAt"].timestamp() for each in now]
    gone = [each for each in api.tasks("STOPPED") if each["taskArn"] in before]
    seen.tasks += [{name: each[name] for name in ("pullStartedAt", "startedAt")} for each in now]
    seen.tasks += [{name: each[name] for name in ("stoppingAt", "stoppedAt")} for each in gone]


def _answering(cluster: ClusterTarget, before: set[str]) -> list[str]:
    """The tasks that are not of `before` and answer on their instance."""
    tasks = [each for each in cluster.service("api").tasks() if each["lastStatus"] == "RUNNING"]
    new = [each for each in tasks if each["taskArn"] not in before]
    if not new:
        return []
    ports = parsed(request("GET", cluster.data_plane.endpoint + path(None), seconds=SECONDS).data).host_ports
    places = {each.instance: each.address for each in ports if each.port == 8080}
    found = []
    for each in new:
        address = places.get(cluster.acts.instance_of(each), "")
        if address and answers(f"http://{address}/health", seconds=1):
            found.append(each["taskArn"])
    return found
