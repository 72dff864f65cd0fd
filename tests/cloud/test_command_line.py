"""The AWS CLI and Terraform against a cluster that runs: what a person types is answered as by AWS.

The CLI is version 1, the one of the Python package index. It has no `aws logs tail`, so logs are read by the operation
that version 2 reads them by.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from release.terraform import Root, surroundings
from sim.host.loopback import request
from sim.host.waiting import until
from sim.terraform.installation import environment as installation
from tests.cloud.command_line import STEADY_SECONDS, CommandedGroup, CommandLine
from tests.cloud.running import RunningCloud, RunningCluster

pytestmark = pytest.mark.timeout(300)
ACCOUNT = "300000000002"
_SOON_SECONDS = 25
"""Later than when a command that is begun now arrives."""
ROOT = """
variable "image" {}

resource "aws_ecs_cluster" "this" {
  name = "steady"
}

resource "aws_launch_template" "this" {
  name          = "steady"
  image_id      = var.image
  instance_type = "t3.small"
  user_data     = base64encode("#!/bin/sh\\necho ECS_CLUSTER=${aws_ecs_cluster.this.name} >> /etc/ecs/ecs.config\\n")
}

resource "aws_autoscaling_group" "this" {
  name                  = "steady"
  min_size              = 1
  max_size              = 1
  availability_zones    = ["eu-central-1a"]
  protect_from_scale_in = true

  launch_template {
    id      = aws_launch_template.this.id
    version = "$Latest"
  }

  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }
}

resource "aws_ecs_capacity_provider" "this" {
  name = "steady"

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this.arn
    managed_draining               = "ENABLED"
    managed_termination_protection = "ENABLED"

    managed_scaling {
      status = "ENABLED"
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = [aws_ecs_capacity_provider.this.name]

  default_capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.this.name
    weight            = 1
  }
}

resource "aws_ecs_task_definition" "this" {
  family = "steady"
  container_definitions = jsonencode([
    { name = "web", image = "web:steady", memory = 64, portMappings = [{ containerPort = 8080, hostPort = 9000 }] }
  ])
}

resource "aws_ecs_service" "this" {
  name                  = "steady"
  cluster               = aws_ecs_cluster.this.name
  task_definition       = aws_ecs_task_definition.this.arn
  desired_count         = 1
  wait_for_steady_state = true
  depends_on            = [aws_ecs_cluster_capacity_providers.this]
}
"""
"""A service on a capacity provider, set as production's is: to drain an instance before it ends, and to protect it."""


@pytest.fixture(scope="module")
def aws(running_cloud: RunningCloud) -> CommandLine:
    """The command line for an account with a service of two tasks behind a load balancer."""
    cluster = RunningCluster(running_cloud, ACCOUNT)
    cluster.make()
    cluster.define("web:1")
    cluster.serve(loadBalancers=cluster.balance(), healthCheckGracePeriodSeconds=60)
    return CommandLine(cluster)


def test_a_service_is_waited_for_and_described_with_its_tasks_and_instances(aws: CommandLine) -> None:
    service = aws.stable()
    [balancer] = service["loadBalancers"]
    assert balancer == {"loadBalancerName": aws.cluster.balancer, "containerName": "web", "containerPort": 8080}

    def events() -> list[str]:
        return [each["message"] for each in aws.described()["events"]]

    # The waiter counts tasks that run; ECS says so once they are healthy as well.
    steady = "(service web) has reached a steady state."
    until(lambda: steady in events(), "the steady state", seconds=STEADY_SECONDS, seen=events)

    tasks = aws.cluster.tasks()
    aws.ecs("wait", "tasks-running", "--tasks", *tasks)
    described = aws.ecs("describe-tasks", "--tasks", *tasks)["tasks"]
    assert {each["lastStatus"] for each in described} == {"RUNNING"}
    bound = [binding["hostPort"] for each in described for binding in each["containers"][0]["networkBindings"]]
    assert bound == [8080, 8080]

    instances = aws.cluster.instances()
    arns = [each["containerInstanceArn"] for each in instances]
    shown = aws.ecs("describe-container-instances", "--container-instances", *arns)["containerInstances"]
    assert [(each["agentConnected"], each["runningTasksCount"]) for each in shown] == [(True, 1), (True, 1)]
    for each in shown:
        [ports] = [left["stringSetValue"] for left in each["remainingResources"] if left["name"] == "PORTS"]
        assert "8080" in ports


def test_a_load_balancer_is_waited_for_and_shows_its_instances_in_service(aws: CommandLine) -> None:
    aws("elb", "wait", "any-instance-in-service", "--load-balancer-name", aws.cluster.balancer)

    def in_service() -> int:
        states = aws("elb", "describe-instance-health", "--load-balancer-name", aws.cluster.balancer)["InstanceStates"]
        return [each["State"] for each in states].count("InService")

    aws.cluster.until(lambda: in_service() == 2, "both instances to be in service")
    assert request("GET", aws.cluster.url, seconds=5).data == b"1"


def test_a_deployment_that_is_forced_replaces_every_task_and_is_listed(aws: CommandLine) -> None:
    before = aws.stable()
    tasks = aws.cluster.tasks()
    asked = aws.ecs("update-service", "--service", "web", "--force-new-deployment")["service"]
    assert len(asked["deployments"]) == 2
    after = aws.stable()
    assert after["deployments"][0]["id"] == asked["deployments"][0]["id"] != before["deployments"][0]["id"]
    assert not set(tasks) & set(aws.cluster.tasks())

    def newest() -> dict[str, Any]:
        [listed, *_] = aws.ecs("list-service-deployments", "--service", "web")["serviceDeployments"]
        return dict(listed)

    # The waiter does not ask whether the tasks are healthy; the deployment's end does.
    aws.cluster.until(lambda: newest()["status"] == "SUCCESSFUL", "the deployment to be successful")
    words = ("describe-service-deployments", "--service-deployment-arns", newest()["serviceDeploymentArn"])
    [shown] = aws("ecs", *words)["serviceDeployments"]
    assert shown["status"] == "SUCCESSFUL"
    assert (shown["targetServiceRevision"]["runningTaskCount"], len(shown["sourceServiceRevisions"])) == (2, 1)


def test_a_task_that_is_stopped_is_waited_for_and_replaced(aws: CommandLine) -> None:
    [task, _] = aws.cluster.tasks()
    assert aws.ecs("stop-task", "--task", task, "--reason", "by hand")["task"]["desiredStatus"] == "STOPPED"
    aws.ecs("wait", "tasks-stopped", "--tasks", task)
    [stopped] = aws.ecs("describe-tasks", "--tasks", task)["tasks"]
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "by hand")
    assert stopped["containers"][0]["exitCode"] == 143
    aws.stable()
    assert task not in aws.cluster.tasks()


def test_a_task_of_its_own_runs_and_what_it_writes_is_in_the_logs(aws: CommandLine) -> None:
    definition = aws.cluster.define("web:alone", port=False)
    [task] = aws.ecs("run-task", "--task-definition", definition, "--started-by", "ann")["tasks"]
    aws.ecs("wait", "tasks-running", "--tasks", task["taskArn"])
    [running] = aws.ecs("describe-tasks", "--tasks", task["taskArn"])["tasks"]
    assert (running["startedBy"], running["lastStatus"]) == ("ann", "RUNNING")
    assert running["containers"][0]["networkBindings"][0]["hostPort"] >= 32768
    stream = f"web/web/{task['taskArn'].rpartition('/')[2]}"

    def written() -> list[str]:
        found = aws("logs", "filter-log-events", "--log-group-name", "/ecs/web", "--log-stream-names", stream)
        return [each["message"] for each in found["events"]]

    aws.cluster.until(lambda: written() == ["it listens"], "the line that the task writes")
    aws.ecs("stop-task", "--task", task["taskArn"])
    aws.ecs("wait", "tasks-stopped", "--tasks", task["taskArn"])


def test_an_instance_that_drains_loses_its_task_until_it_is_active_again(aws: CommandLine) -> None:
    [task, other] = aws.cluster.tasks()
    instance = aws.cluster.task(task)["containerInstanceArn"]
    words = ("update-container-instances-state", "--container-instances", instance, "--status")
    [draining] = aws.ecs(*words, "DRAINING")["containerInstances"]
    assert draining["status"] == "DRAINING"
    aws.ecs("wait", "tasks-stopped", "--tasks", task)
    [empty] = aws.ecs("describe-container-instances", "--container-instances", instance)["containerInstances"]
    assert (empty["status"], empty["runningTasksCount"], aws.cluster.tasks()) == ("DRAINING", 0, [other])
    [active] = aws.ecs(*words, "ACTIVE")["containerInstances"]
    assert active["status"] == "ACTIVE"
    aws.stable()


def test_the_instances_of_a_group_are_ended_added_and_refreshed(aws: CommandLine) -> None:
    group = CommandedGroup(aws, "nodes")
    group.create()
    [first] = group.joined(1)
    [ended] = aws("ec2", "terminate-instances", "--instance-ids", first)["TerminatingInstances"]
    assert (ended["InstanceId"], ended["PreviousState"]["Name"]) == (first, "running")
    [second] = group.joined(1)
    assert second != first
    causes = [each["Cause"] for each in group("describe-scaling-activities")["Activities"]]
    assert any("EC2 health check indicating it has been terminated or stopped" in each for each in causes)

    size = ("autoscaling", "set-desired-capacity", "--auto-scaling-group-name", group.name, "--desired-capacity")
    assert (
        "An error occurred (ValidationError) when calling the SetDesiredCapacity operation: "
        "New SetDesiredCapacity value 3 is above max value 2 for the AutoScalingGroup."
    ) in aws.refused(*size, "3")
    aws(*size, "2")
    assert second in group.joined(2)
    end = ("autoscaling", "terminate-instance-in-auto-scaling-group", "--instance-id")
    activity = aws(*end, second, "--should-decrement-desired-capacity")["Activity"]
    assert activity["Description"] == f"Terminating EC2 instance: {second}"
    [third] = group.joined(1)
    unknown = f"Instance Id not found - No managed instance found for instance ID: {first}"
    assert unknown in aws.refused(*end, first, "--no-should-decrement-desired-capacity")

    preferences = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200, "InstanceWarmup": 0}
    started = group("start-instance-refresh", "--preferences", json.dumps(preferences))

    def refresh() -> dict[str, Any]:
        [shown] = group.client.describe_instance_refreshes(AutoScalingGroupName=group.name)["InstanceRefreshes"]
        return dict(shown)

    aws.cluster.until(lambda: refresh()["Status"] == "Successful", "the refresh to be successful")
    assert refresh()["InstanceRefreshId"] == started["InstanceRefreshId"]
    assert group.joined(1) != {third}
    refused = ("start-instance-refresh", "--auto-scaling-group-name", group.name, "--preferences")
    assert "CheckpointPercentages of an instance refresh is not supported" in aws.refused(
        "autoscaling", *refused, "CheckpointPercentages=50,100"
    )
    group("delete-auto-scaling-group", "--force-delete")


@pytest.mark.usefixtures("terraform")
def test_a_group_scales_by_its_policy_and_at_a_scheduled_time(aws: CommandLine) -> None:
    group = CommandedGroup(aws, "scaled")
    group.create()
    [first] = group.joined(1)
    steps = json.dumps([{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}])
    stepped = ("--policy-type", "StepScaling", "--adjustment-type", "ChangeInCapacity", "--step-adjustments", steps)
    arn = group("put-scaling-policy", "--policy-name", "busy", *stepped)["PolicyARN"]
    aws("autoscaling", "execute-policy", "--policy-name", arn, "--metric-value", "60", "--breach-threshold", "50")
    assert first in group.joined(2)

    at = datetime.fromtimestamp(time.time() + _SOON_SECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    night = ("--scheduled-action-name", "night", "--start-time", at, "--desired-capacity", "1")
    group("put-scheduled-update-group-action", *night)
    [planned] = group("describe-scheduled-actions")["ScheduledUpdateGroupActions"]
    assert (planned["ScheduledActionName"], planned["DesiredCapacity"]) == ("night", 1)
    group.joined(1)

    tracking = json.dumps(
        {"TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}
    )
    tracked = ("--policy-type", "TargetTrackingScaling", "--target-tracking-configuration", tracking)
    alarms = group("put-scaling-policy", "--policy-name", "cpu", *tracked)["Alarms"]
    assert [each["AlarmName"] for each in alarms] == [
        "TargetTracking-scaled-AlarmHigh-cpu",
        "TargetTracking-scaled-AlarmLow-cpu",
    ]
    cloudwatch = aws.cluster.client("cloudwatch")

    def state() -> str:
        [found] = cloudwatch.describe_alarms(AlarmNames=["TargetTracking-scaled-AlarmHigh-cpu"])["MetricAlarms"]
        return str(found["StateValue"])

    until(lambda: state() == "OK", "a value of the group's CPU", seconds=150, seen=state)
    group("delete-auto-scaling-group", "--force-delete")
    assert cloudwatch.describe_alarms(AlarmNamePrefix="TargetTracking-scaled-")["MetricAlarms"] == []


def test_terraform_waits_for_a_steady_state_and_its_destroy_for_no_hook_of_managed_draining(
    aws: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "main.tf").write_text(ROOT)
    image = aws.cluster.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    given = surroundings(aws.environment, {"image": image})
    root = Root("steady", tmp_path, {**given, **installation(tmp_path, os.environ)})
    root.init()
    root.apply()
    [service] = aws("ecs", "describe-services", "--cluster", "steady", "--services", "steady")["services"]
    assert (service["runningCount"], len(service["deployments"])) == (1, 1)
    root.destroy()
    groups = aws("autoscaling", "describe-auto-scaling-groups")["AutoScalingGroups"]
    assert "steady" not in [each["AutoScalingGroupName"] for each in groups]
