"""The driver in LocalStack's process: services run, as far as agents and a load balancer do what is desired."""

from __future__ import annotations

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import pytest

from sim.cloud.aws_client import REGION
from sim.cloud.desired import parsed, path
from sim.cloud.local import LocalCloud
from sim.cluster.balancer.checks import HealthCheck
from sim.cluster.balancer.classic import Settings
from sim.cluster.balancer.nodes import Policy
from sim.cluster.cadence import LOCAL
from sim.cluster.desired import AccessLog, CheckTarget, DesiredBalancer, DesiredListener, Place
from sim.host.cleanup import Cleanup
from sim.host.loopback import NoAnswer, request
from tests.cloud.agents import CLUSTER, Fleet, Values


def test_a_service_is_steady_once_its_agent_reports_its_task(fleet: Fleet) -> None:
    fleet.join()
    fleet.desired()
    fleet.service()
    [task] = fleet.mine(fleet.desired())
    assert (task.desired_status, task.definition["family"], task.group) == ("RUNNING", "api", "service:api")
    assert fleet.described()["pendingCount"] == 1
    fleet.settle(fleet.steady, "a steady service")
    fleet.ecs.get_waiter("services_stable").wait(cluster=CLUSTER, services=["api"])
    [started, completed, _] = fleet.messages()
    assert started == f"has started 1 tasks: (task {task.arn.rpartition('/')[2]})."
    assert completed.endswith("deployment completed.")


def test_a_new_version_is_rolled_out_behind_a_load_balancer(fleet: Fleet) -> None:
    for _ in range(2):
        fleet.join()
    fleet.service(loadBalancers=fleet.balance(), deploymentConfiguration={"minimumHealthyPercent": 100})
    fleet.settle(fleet.steady, "the first version")
    fleet.ecs.update_service(cluster=CLUSTER, service="api", taskDefinition=fleet.define("api:2"))
    fleet.settle(lambda: fleet.steady() and fleet.stable(), "the second version")
    assert fleet.images() == ["api:2"]
    assert [_short(each) for each in fleet.messages()] == [
        "has started 1 tasks",
        "registered 1 instances in (elb e)",
        "(deployment) deployment completed.",
        "has reached a steady state.",
        "has started 1 tasks",
        "registered 1 instances in (elb e)",
        "deregistered 1 instances in (elb e)",
        "has stopped 1 running tasks",
        "(deployment) deployment completed.",
        "has reached a steady state.",
    ]
    [health] = fleet.elb.describe_instance_health(LoadBalancerName="e")["InstanceStates"]
    assert health["State"] == "InService"
    stopped = fleet.ecs.list_tasks(cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"]
    [old] = fleet.ecs.describe_tasks(cluster=CLUSTER, tasks=stopped)["tasks"]
    assert (old["lastStatus"], old["stopCode"]) == ("STOPPED", "ServiceSchedulerInitiated")
    assert old["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")


def test_a_task_is_stopped_only_when_its_load_balancer_has_let_it_go(fleet: Fleet) -> None:
    for _ in range(2):
        fleet.join()
    fleet.service(loadBalancers=fleet.balance())
    fleet.settle(fleet.steady, "the service")
    fleet.drains = False
    fleet.ecs.update_service(cluster=CLUSTER, service="api", forceNewDeployment=True)
    fleet.settle(lambda: "deregistered 1 instances in (elb e)" in fleet.messages(), "a deregistration")
    assert [each.desired_status for each in fleet.mine(fleet.desired())] == ["RUNNING", "RUNNING"]
    descriptions = {
        each["Description"] for each in fleet.elb.describe_instance_health(LoadBalancerName="e")["InstanceStates"]
    }
    assert "Instance deregistration currently in progress." in descriptions
    fleet.drained()
    fleet.settle(lambda: fleet.steady() and fleet.stable(), "the new deployment")


def test_a_version_that_cannot_be_pulled_is_rolled_back(fleet: Fleet) -> None:
    for _ in range(2):
        fleet.join()
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    good = fleet.service(deploymentConfiguration=breaker)["taskDefinition"]
    fleet.settle(fleet.steady, "the good version")
    fleet.broken = {"api:broken"}
    fleet.ecs.update_service(cluster=CLUSTER, service="api", taskDefinition=fleet.define("api:broken"))
    fleet.settle(lambda: any(each.startswith("rolling back") for each in fleet.messages()), "a rollback")
    fleet.settle(lambda: fleet.steady() and fleet.stable(), "the good version again")
    assert fleet.described()["taskDefinition"] == good
    assert fleet.images() == ["api:1"]


def test_a_service_without_room_says_so_until_there_is_room(fleet: Fleet) -> None:
    full = fleet.join()
    fleet.service(desiredCount=2)
    fleet.settle(lambda: any("unable to place" in each for each in fleet.messages()), "an event")
    [event] = [each for each in fleet.messages() if "unable to place" in each]
    assert event == (
        "was unable to place a task because no container instance met all of its requirements. The closest matching "
        f"(container-instance {full.rpartition('/')[2]}) is already using a port required by your task. "
        "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
    )
    fleet.join()
    fleet.settle(lambda: fleet.steady() and fleet.described()["runningCount"] == 2, "two tasks")


def test_the_tasks_of_an_instance_that_drains_are_replaced(fleet: Fleet) -> None:
    first = fleet.join()
    fleet.service()
    fleet.settle(fleet.steady, "the service")
    second = fleet.join()
    fleet.ecs.update_container_instances_state(cluster=CLUSTER, containerInstances=[first], status="DRAINING")
    fleet.settle(lambda: fleet.tasks_on(first) == 0 and fleet.stable(), "an empty instance")
    assert fleet.tasks_on(second) == 1


def test_a_deleted_service_ends_its_tasks(fleet: Fleet) -> None:
    fleet.join()
    fleet.service(loadBalancers=fleet.balance())
    fleet.settle(fleet.steady, "the service")
    deleted = fleet.ecs.delete_service(cluster=CLUSTER, service="api", force=True)["service"]
    assert deleted["status"] == "DRAINING"
    fleet.settle(lambda: fleet.described()["status"] == "INACTIVE", "an inactive service")
    assert fleet.mine(fleet.desired()) == []
    assert fleet.elb.describe_instance_health(LoadBalancerName="e")["InstanceStates"] == []
    fleet.ecs.get_waiter("services_inactive").wait(cluster=CLUSTER, services=["api"])


def test_tasks_can_be_run_and_stopped_without_a_service(fleet: Fleet) -> None:
    fleet.join()
    placed = fleet.ecs.run_task(cluster=CLUSTER, taskDefinition="api", count=2)
    assert [each["reason"] for each in placed["failures"]] == ["RESOURCE:PORTS"]
    [task] = [each["taskArn"] for each in placed["tasks"]]
    fleet.service(desiredCount=0)
    fleet.settle(lambda: fleet.status(task) == "RUNNING", "a running task")
    fleet.ecs.stop_task(cluster=CLUSTER, task=task, reason="Scaling activity initiated by nobody")
    fleet.settle(lambda: fleet.status(task) == "STOPPED", "a stopped task")
    [found] = fleet.ecs.describe_tasks(cluster=CLUSTER, tasks=[task])["tasks"]
    assert (found["stopCode"], found["stoppedReason"]) == ("UserInitiated", "Scaling activity initiated by nobody")


def test_a_task_whose_containers_turn_unhealthy_is_replaced(fleet: Fleet) -> None:
    for _ in range(2):
        fleet.join()
    fleet.service()
    fleet.settle(fleet.steady, "the service")
    [task] = fleet.mine(fleet.desired())
    identity = task.arn.rpartition("/")[2]
    assert fleet.put(f"ecs/{CLUSTER}/tasks/{identity}/health", {"healthStatus": "WELL"}) == HTTPStatus.BAD_REQUEST
    fleet.put(f"ecs/{CLUSTER}/tasks/{identity}/health", {"healthStatus": "UNHEALTHY"})
    fleet.settle(lambda: fleet.status(task.arn) == "STOPPED" and fleet.stable(), "a replacement")
    [found] = fleet.ecs.describe_tasks(cluster=CLUSTER, tasks=[task.arn])["tasks"]
    assert found["stoppedReason"] == "Task failed container health checks"
    assert f"(task {identity}) failed container health checks." in fleet.messages()


def test_a_terminated_instance_takes_its_tasks_with_it(fleet: Fleet) -> None:
    gone = fleet.join()
    fleet.service(loadBalancers=fleet.balance())
    fleet.settle(fleet.steady, "the service")
    [task] = fleet.mine(fleet.desired())
    ec2 = fleet.ec2_id(gone)
    fleet.ec2.terminate_instances(InstanceIds=[ec2])
    fleet.settle(lambda: fleet.status(task.arn) == "STOPPED", "the task's end")
    [found] = fleet.ecs.describe_tasks(cluster=CLUSTER, tasks=[task.arn])["tasks"]
    assert (found["stopCode"], found["stoppedReason"]) == (
        "TerminationNotice",
        f"Host EC2 (instance {ec2}) terminated.",
    )
    assert fleet.ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"] == []
    assert fleet.elb.describe_instance_health(LoadBalancerName="e")["InstanceStates"] == []
    fleet.join()
    fleet.settle(lambda: fleet.steady() and fleet.stable(), "the service on another instance")


def test_the_tasks_of_an_instance_that_is_deregistered_by_force_are_replaced(fleet: Fleet) -> None:
    first = fleet.join()
    fleet.service(loadBalancers=fleet.balance())
    fleet.settle(fleet.steady, "the service")
    ec2, second = fleet.ec2_id(first), fleet.join()
    fleet.drains = False
    fleet.ecs.deregister_container_instance(cluster=CLUSTER, containerInstance=first, force=True)
    [health] = fleet.elb.describe_instance_health(LoadBalancerName="e")["InstanceStates"]
    assert (health["InstanceId"], health["Description"]) == (ec2, "Instance deregistration currently in progress.")
    fleet.settle(lambda: fleet.tasks_on(second) == 1 and fleet.steady(), "the service on another instance")


def test_a_lost_instance_gets_no_task_until_its_agent_is_back(fleet: Fleet) -> None:
    ec2 = fleet.ec2_id(fleet.join())
    assert fleet.put(f"ec2/{ec2}/ports", {"tcp:8080": "127.0.0.1:1234"}) == HTTPStatus.OK
    assert fleet.put(f"ec2/{ec2}/ports", {"8080": "127.0.0.1:1234"}) == HTTPStatus.BAD_REQUEST
    fleet.put(f"ec2/{ec2}/lost", {"lost": True})
    state = fleet.desired()
    assert [each.lost for each in state.instances if each.id == ec2] == [True]
    assert [(each.port, each.address) for each in state.host_ports if each.instance == ec2] == [
        (8080, "127.0.0.1:1234")
    ]
    fleet.service()
    assert 'encountered error "AGENT"' in fleet.messages()[0]
    fleet.put(f"ec2/{ec2}/lost", {"lost": False})
    fleet.put(f"ec2/{ec2}/connected", {"connected": True})
    fleet.settle(fleet.steady, "the service")


def test_the_edge_is_handed_a_load_balancer_with_all_its_settings(fleet: Fleet) -> None:
    subnet = next(
        each["SubnetId"] for each in fleet.ec2.describe_subnets()["Subnets"] if each["AvailabilityZone"] == f"{REGION}b"
    )
    certificate = f"arn:aws:iam::{fleet.account}:server-certificate/c"
    fleet.elb.create_load_balancer(
        LoadBalancerName="e",
        Listeners=[
            {
                "Protocol": "HTTPS",
                "LoadBalancerPort": 443,
                "InstanceProtocol": "HTTP",
                "InstancePort": 8080,
                "SSLCertificateId": certificate,
            }
        ],
        Subnets=[subnet],
    )
    fleet.elb.modify_load_balancer_attributes(
        LoadBalancerName="e",
        LoadBalancerAttributes={
            "CrossZoneLoadBalancing": {"Enabled": True},
            "AccessLog": {"Enabled": True, "S3BucketName": "logs", "EmitInterval": 5, "S3BucketPrefix": "e"},
            "ConnectionDraining": {"Enabled": True, "Timeout": 30},
            "ConnectionSettings": {"IdleTimeout": 45},
            "AdditionalAttributes": [{"Key": "elb.http.desyncmitigationmode", "Value": "strictest"}],
        },
    )
    check = {"Target": "HTTP:8080/health", "Interval": 5, "Timeout": 2, "HealthyThreshold": 2, "UnhealthyThreshold": 3}
    fleet.elb.configure_health_check(LoadBalancerName="e", HealthCheck=check)
    [found] = [each for each in fleet.desired().balancers if each.place.account == fleet.account]
    policy = Policy((f"{REGION}b",), HealthCheck(5.0, 2.0, 2, 3), 30.0, cross_zone=True, delays=LOCAL.delays)
    assert found == DesiredBalancer(
        "e",
        Place(fleet.account, REGION),
        found.dns_name,
        Settings(policy, 45.0, "strictest"),
        CheckTarget("HTTP", 8080, "/health"),
        (DesiredListener("HTTPS", 443, "HTTP", 8080, certificate),),
        (),
        AccessLog("logs", "e", 5),
    )
    [described] = fleet.elb.describe_load_balancers(LoadBalancerNames=["e"])["LoadBalancerDescriptions"]
    assert described["ListenerDescriptions"][0]["Listener"]["InstanceProtocol"] == "HTTP"
    assert described["DNSName"] == found.dns_name


def test_what_the_local_cluster_cannot_run_is_refused_by_name(fleet: Fleet) -> None:
    fleet.desired()
    refused = fleet.ecs.exceptions.InvalidParameterException
    group = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/t/1"
    refusals: dict[str, Values] = {
        "launch type FARGATE": {"launchType": "FARGATE"},
        "target group": {"loadBalancers": [{"targetGroupArn": group, "containerName": "api", "containerPort": 8080}]},
        "controller EXTERNAL": {"deploymentController": {"type": "EXTERNAL"}},
        "Invalid placement constraint": {"placementConstraints": [{"type": "memberOf", "expression": "nonsense"}]},
    }
    for name, asked in refusals.items():
        with pytest.raises(refused, match=name):
            fleet.service(**asked)
    fleet.ecs.register_task_definition(
        family="net", networkMode="awsvpc", containerDefinitions=[{"name": "n", "image": "n", "memory": 64}]
    )
    with pytest.raises(refused, match="network mode awsvpc"):
        fleet.ecs.run_task(cluster=CLUSTER, taskDefinition="net")
    assert fleet.ecs.list_services(cluster=CLUSTER)["serviceArns"] == []


def test_localstack_ends_while_a_question_waits() -> None:
    with Cleanup() as cleanup, ThreadPoolExecutor() as pool:
        cloud = LocalCloud(cleanup, (), print)
        cloud.open()
        cloud.await_ready()
        url = f"{cloud.endpoint}{path(None)}"
        known = parsed(request("GET", url, seconds=10).data).revision
        waiting = pool.submit(request, "GET", f"{cloud.endpoint}{path(known)}", seconds=30)
        localstack = cloud.processes[0]
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        localstack.terminate()
        localstack.wait(15)
        with contextlib.suppress(NoAnswer):
            assert waiting.result(5).status == HTTPStatus.SERVICE_UNAVAILABLE
        cloud.stop()


def _short(message: str) -> str:
    """An event without the ids in it."""
    return re.sub(r"deployment ecs-svc/\d+", "deployment", message).partition(":")[0]


def test_a_daemon_is_deleted_though_it_has_tasks(fleet: Fleet) -> None:
    fleet.join()
    fleet.ecs.create_service(cluster=CLUSTER, serviceName="api", taskDefinition="api", schedulingStrategy="DAEMON")
    fleet.settle(fleet.steady, "the daemon")
    assert fleet.described()["desiredCount"] == 1
    fleet.ecs.delete_service(cluster=CLUSTER, service="api")
    fleet.settle(lambda: fleet.described()["status"] == "INACTIVE", "an inactive service")
