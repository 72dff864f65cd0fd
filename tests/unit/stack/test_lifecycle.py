"""The state file of a stack, and what a command asks of it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from sim.cloud.ecs import EcsService
from sim.cloud.resources import Resources
from sim.host.identity import start_of
from sim.stack import lifecycle
from sim.stack.lifecycle import ClusterPlace, NoCluster, NothingRuns, Part, Stack
from sim.stack.page import PageAddress
from sim.targets.cluster_tasks import ContainerTasks, ProcessTasks
from sim.targets.project_options import ProjectOptions
from sim.targets.target import Provision, TaskRuntime
from sim.terraform.project_settings import ProjectSettings

ALIVE = Stack(
    supervisor=os.getpid(),
    started=start_of(os.getpid()) or "",
    url="http://127.0.0.1:8080",
    endpoint="http://127.0.0.1:4566",
    heartbeat="",
    target="process",
    provision=Provision.KIT,
    resources=Resources("queue", "dead letters", "bucket", "emails/", "/token"),
    parts={"gateway": Part(os.getpid(), "gateway.log")},
    versions=Path("/versions"),
    gateway="http://127.0.0.1:2",
    page=PageAddress(3, "the token of the page"),
)
SERVICE = EcsService(ALIVE.endpoint, "emails-local", "emails-local-api")
CLUSTERS = [
    ClusterPlace(tasks, {"api": SERVICE}, {"processes": "1"}, "http://127.0.0.1:1")
    for tasks in (ContainerTasks("run"), ProcessTasks(Path("/agent")))
]


def test_what_was_written_is_found(tmp_path: Path) -> None:
    clusters = [replace(ALIVE, target="cluster", provision=Provision.TERRAFORM, cluster=each) for each in CLUSTERS]
    for stack in (ALIVE, *clusters):
        lifecycle.write(stack, tmp_path)
        assert lifecycle.find(tmp_path) == stack


def test_the_token_of_the_page_is_for_the_owner_alone(tmp_path: Path) -> None:
    lifecycle.write(ALIVE, tmp_path)
    assert oct(lifecycle.state_file(tmp_path).stat().st_mode)[-3:] == "600"
    assert lifecycle.running(tmp_path).page.link == "http://127.0.0.1:3/#the token of the page"
    assert "the token of the page" not in repr(ALIVE)


def test_a_stack_whose_supervisor_has_ended_does_not_run(tmp_path: Path) -> None:
    lifecycle.write(replace(ALIVE, started="another start"), tmp_path)
    with pytest.raises(NothingRuns):
        lifecycle.running(tmp_path)


def test_the_reason_for_which_a_stack_has_ended_by_itself_is_in_the_next_error(tmp_path: Path) -> None:
    lifecycle.note_end(tmp_path, "localstack ended with -9")
    with pytest.raises(NothingRuns, match="start one with `sim up`; the last one ended by itself: localstack ended"):
        lifecycle.running(tmp_path)
    lifecycle.write(ALIVE, tmp_path)
    assert lifecycle.running(tmp_path) == ALIVE


def test_a_command_for_a_cluster_says_which_stack_runs_in_its_place(tmp_path: Path) -> None:
    lifecycle.write(ALIVE, tmp_path)
    with pytest.raises(NoCluster, match="the running stack is of the target process; `sim up --target cluster`"):
        lifecycle.running_cluster(tmp_path)


def test_another_target_is_not_started_over_a_running_stack(tmp_path: Path) -> None:
    lifecycle.write(ALIVE, tmp_path)
    with pytest.raises(lifecycle.AnotherRuns, match="is of the target process, not cluster"):
        lifecycle.up(tmp_path, "cluster", Provision.TERRAFORM, print)


def test_a_cluster_of_containers_is_not_taken_for_one_of_processes(tmp_path: Path) -> None:
    lifecycle.write(replace(ALIVE, target="cluster", provision=Provision.TERRAFORM, cluster=CLUSTERS[0]), tmp_path)
    for runtime in (None, TaskRuntime.DOCKER):
        lifecycle.up(tmp_path, "cluster", Provision.TERRAFORM, print, runtime)
    with pytest.raises(lifecycle.AnotherRuns, match="the tasks of the running stack are docker, not process"):
        lifecycle.up(tmp_path, "cluster", Provision.TERRAFORM, print, TaskRuntime.PROCESS)


def test_a_cluster_at_one_time_scale_is_not_taken_for_one_at_another(tmp_path: Path) -> None:
    scaled = replace(CLUSTERS[0], time_scale=10)
    lifecycle.write(replace(ALIVE, target="cluster", provision=Provision.TERRAFORM, cluster=scaled), tmp_path)
    lifecycle.up(tmp_path, "cluster", Provision.TERRAFORM, print, time_scale=10)
    with pytest.raises(lifecycle.AnotherRuns, match="the time scale of the running stack is 10, not 1"):
        lifecycle.up(tmp_path, "cluster", Provision.TERRAFORM, print)


def test_the_stack_of_another_project_is_found_and_has_no_pipeline(tmp_path: Path) -> None:
    options = ProjectOptions(ProjectSettings((tmp_path,), (), (("release", "1"),)), {"shop/web": "/web"}, 2.0)
    stack = replace(ALIVE, target="project", resources=None, cluster=CLUSTERS[0], project=options)
    lifecycle.write(stack, tmp_path)
    assert lifecycle.up_project(tmp_path, options, print) == stack
    assert [(each.name, oct(each.stat().st_mode)[-3:]) for each in tmp_path.iterdir()] == [("stack.json", "600")]
    with pytest.raises(lifecycle.NoPipeline, match="which has no e-mails"):
        _ = stack.data_plane
    with pytest.raises(lifecycle.AnotherRuns, match="set otherwise"):
        lifecycle.up_project(tmp_path, replace(options, images={}), print)
    with pytest.raises(lifecycle.AnotherRuns, match="of the target project, not cluster"):
        lifecycle.up(tmp_path, "cluster", Provision.TERRAFORM, print)
