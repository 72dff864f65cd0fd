"""An ALB in front of a service whose tasks have ports that the agent chose: plugin, edge and agent together."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sim.host.loopback import json_of, request
from sim.watch.draw import draw
from sim.watch.observe_balancers import Applications
from sim.watch.observed import Observation, SeenCluster
from tests.cloud.running import CLUSTER, PORT, SECONDS, RunningCloud, RunningCluster
from tests.cloud.shared import Client

Values = dict[str, Any]
TASKS = 3
"""On two instances: one of them has two tasks of the service."""
_CHECK: Values = {
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 2,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}
_GONE: Values = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "410", "ContentType": "text/plain", "MessageBody": "gone"},
}


class Front:
    """The ALB `shop` of a cluster, with the target group `web` behind its listener on port 80."""

    def __init__(self, cluster: RunningCluster) -> None:
        self.cluster = cluster
        self.api: Client = cluster.client("elbv2")
        subnets = cluster.ec2.describe_subnets()["Subnets"]
        self.subnets = {each["AvailabilityZone"][-1]: each["SubnetId"] for each in subnets}
        self.vpc = subnets[0]["VpcId"]

    def make(self) -> None:
        """Makes all of it."""
        subnets = [self.subnets[zone] for zone in "ab"]
        [made] = self.api.create_load_balancer(Name="shop", Subnets=subnets)["LoadBalancers"]
        self.arn, self.dns_name = made["LoadBalancerArn"], made["DNSName"]
        self.group = self.make_group("web")
        self.api.modify_target_group_attributes(
            TargetGroupArn=self.group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}],
        )
        [listener] = self.api.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTP", Port=80, DefaultActions=[self.forward(self.group)]
        )["Listeners"]
        self.listener = listener["ListenerArn"]
        condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/gone/*"]}}
        self.api.create_rule(ListenerArn=self.listener, Priority=10, Conditions=[condition], Actions=[_GONE])

    def make_group(self, name: str, **more: Any) -> str:
        """A target group; its ARN."""
        asked = {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": "instance", **_CHECK, **more}
        [made] = self.api.create_target_group(Name=name, **asked)["TargetGroups"]
        return str(made["TargetGroupArn"])

    @staticmethod
    def forward(group: str) -> Values:
        """The action that forwards to a group."""
        return {"Type": "forward", "TargetGroupArn": group}

    def health(self, *asked: Values) -> dict[str, str]:
        """The state of each target, with its reason if it has one, by the target's id."""
        named = {"Targets": list(asked)} if asked else {}
        found = self.api.describe_target_health(TargetGroupArn=self.group, **named)["TargetHealthDescriptions"]
        return {
            f"{each['Target']['Id']}:{each['Target']['Port']}": " ".join(
                filter(None, (each["TargetHealth"]["State"], each["TargetHealth"].get("Reason")))
            )
            for each in found
        }

    @property
    def url(self) -> str:
        """Where it is on this machine."""
        return f"http://{self.cluster.cloud.parts.await_listener(self.dns_name, 80)}/"


@pytest.fixture(scope="module")
def front(running_cloud: RunningCloud) -> Front:
    """The ALB, with nothing behind it."""
    cluster = RunningCluster(running_cloud, "300000000005")
    cluster.make()
    front = Front(cluster)
    front.make()
    return front


def _refused(code: str, message: str, call: Any, **asked: Any) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        call(**asked)
    assert refused.value.response["Error"]["Code"] == code


def test_what_aws_and_the_local_cluster_refuse(front: Front) -> None:
    api, subnets = front.api, front.subnets
    balancer, group, rule = api.create_load_balancer, api.create_target_group, api.create_rule
    both = [subnets["a"], subnets["b"]]
    _refused("ValidationError", "two different Availability Zones", balancer, Name="one", Subnets=both[:1])
    _refused("DuplicateLoadBalancerName", "'shop' exists", balancer, Name="shop", Subnets=both)
    _refused("ValidationError", "the type network", balancer, Name="nlb", Subnets=both, Type="network")
    _refused("ValidationError", "target type lambda", group, Name="f", TargetType="lambda")
    _refused("ValidationError", "target type ip", group, Name="i", TargetType="ip", Protocol="HTTP", Port=80)
    listener = {"LoadBalancerArn": front.arn, "Protocol": "HTTP", "DefaultActions": [_GONE]}
    _refused("DuplicateListener", "already exists on this port", api.create_listener, Port=80, **listener)
    condition = {"Field": "path-pattern", "Values": ["/a"]}
    login = {
        "Type": "authenticate-cognito",
        "Order": 1,
        "AuthenticateCognitoConfig": {"UserPoolArn": "a", "UserPoolClientId": "b", "UserPoolDomain": "c"},
    }
    asked = {"ListenerArn": front.listener, "Conditions": [condition]}
    _refused("ValidationError", "the action authenticate-cognito", rule, Priority=1, Actions=[login, _GONE], **asked)
    _refused("PriorityInUse", "in use", rule, Priority=10, Actions=[_GONE], **asked)
    unused = front.make_group("unused")
    service = {"targetGroupArn": unused, "containerName": "web", "containerPort": PORT}
    front.cluster.define("web:1", port=False)
    with pytest.raises(ClientError, match="does not have an associated load balancer"):
        front.cluster.serve(loadBalancers=[service])
    instance = front.cluster.instances()[0]["ec2InstanceId"]
    api.register_targets(TargetGroupArn=unused, Targets=[{"Id": instance, "Port": 81}, {"Id": instance}])
    [one, two] = api.describe_target_health(TargetGroupArn=unused)["TargetHealthDescriptions"]
    assert {one["Target"]["Port"], two["Target"]["Port"]} == {80, 81}
    assert one["TargetHealth"]["State"] == "unused"
    assert one["TargetHealth"]["Reason"] == "Target.NotInUse"
    api.delete_target_group(TargetGroupArn=unused)
    _refused("ResourceInUse", "in use", api.delete_target_group, TargetGroupArn=front.group)


def test_a_service_is_rolled_out_behind_an_alb_without_a_failed_request(front: Front) -> None:
    cluster = front.cluster
    assert request("GET", front.url, seconds=5).status == HTTPStatus.SERVICE_UNAVAILABLE
    answer = request("GET", f"{front.url}gone/1", seconds=5)
    assert (answer.status, answer.data, answer.headers["Server"]) == (410, b"gone", "awselb/2.0")
    cluster.ecs.create_service(
        cluster=CLUSTER,
        serviceName="web",
        taskDefinition="web",
        desiredCount=TASKS,
        loadBalancers=[{"targetGroupArn": front.group, "containerName": "web", "containerPort": PORT}],
    )
    cluster.until(lambda: list(front.health().values()) == ["healthy"] * TASKS, "the targets to be healthy")
    first = front.health()
    assert all(32768 <= int(each.rpartition(":")[2]) <= 60999 for each in first)
    assert request("GET", front.url, seconds=5).data == b"1"

    cluster.define("web:2", port=False)
    cluster.ecs.update_service(cluster=CLUSTER, service="web", taskDefinition="web")
    answers: list[tuple[int, bytes]] = []

    def rolled_out() -> bool:
        for _ in range(5):
            found = request("GET", front.url, seconds=5)
            answers.append((found.status, found.data))
        deployments = cluster.service()["deployments"]
        return len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"

    cluster.until(rolled_out, "the second version to be rolled out")
    assert set(answers) == {(200, b"1"), (200, b"2")}
    assert len(front.health()) == TASKS
    assert not front.health().keys() & first.keys()
    gone, _, port = next(iter(first)).partition(":")
    assert front.health({"Id": gone, "Port": int(port)}) == {f"{gone}:{port}": "unused Target.NotRegistered"}
    events = [each["message"] for each in reversed(cluster.service()["events"])]
    told = [re.sub(r"\((task|target-group|deployment|service) [^)]*\)|ecs-svc/\d+", "_", each) for each in events]
    # Tasks that run at the same step are registered by one event.
    assert any(re.fullmatch(rf"_ registered [1-{TASKS}] targets in _", each) for each in told)
    stop = next(number for number, each in enumerate(told) if each.startswith("_ has stopped"))
    assert stop < next(number for number, each in enumerate(told) if "_ deregistered" in each)
    assert any("has begun draining connections on" in each for each in told)
    _the_live_page_says_the_same(front)


def _the_live_page_says_the_same(front: Front) -> None:
    """As DescribeTargetHealth, of the targets and of the tasks whose ports they are."""
    cluster = front.cluster
    applications = Applications(front.api)
    tasks = cluster.ecs.describe_tasks(cluster=CLUSTER, tasks=cluster.tasks())["tasks"]
    service = cluster.service()
    definition = cluster.ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]
    seen = SeenCluster(
        services={"web": service},
        tasks=tasks,
        definitions={definition["taskDefinitionArn"]: definition},
        instances=cluster.instances(),
        health={},
        alarms=(),
        applications=applications.balancers(),
        groups=applications.groups(),
    )
    picture = draw(Observation(0, "project", (), {}, {}, cluster=seen), None).picture
    assert picture.groups["web"].led_to == ("shop port 80",)
    assert picture.groups["web"].states == {"healthy": TASKS}
    assert picture.entries["app/shop"].own == ("port 80, path /gone/*: answers 410",)
    assert (picture.entries["app/shop"].in_service, picture.services["web"].healthy) == (TASKS, TASKS)
    shown = {
        f"{task.instance}:{target.partition(':')[2]}": registered.state
        for task in picture.tasks.values()
        for target, registered in task.targets.items()
    }
    assert shown == front.health()
    counted = json_of(f"{cluster.cloud.parts.control}/answered", seconds=SECONDS) or {}
    assert counted[front.group].keys() == {"200", "503"}, "503 is what came before there was a target"
    assert counted[front.arn].keys() == {"200", "410", "503"}
