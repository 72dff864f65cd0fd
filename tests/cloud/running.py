"""A cluster that runs: LocalStack, the agent and the edge, and what a test makes in its account by AWS's API."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from sim.agent.programs import Program
from sim.cloud.aws_client import REGION, local_session
from sim.cloud.desired import parsed, path
from sim.cloud.local import LocalCloud
from sim.host.cleanup import Cleanup
from sim.host.loopback import request
from sim.host.process import Process
from sim.host.waiting import until
from sim.targets.cluster_parts import start_processes
from sim.targets.cluster_processes import ClusterProcesses

SECONDS: Final = 90
CLUSTER: Final = "mail"
PORT: Final = 8080
_SERVER: Final = """
import http.server, os
print("it listens", flush=True)
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        body = os.environ.get("VERSION", "?").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
"""Says its VERSION to every GET."""
_ENVIRONMENT: Final = {"PATH": os.environ.get("PATH", os.defpath), "PORT": f"{{port:{PORT}}}"}
_PROGRAMS: Final = {"web": Program((sys.executable, "-c", _SERVER), Path("/"), _ENVIRONMENT)}
_USER_DATA: Final = f"#!/bin/bash\ncat >> /etc/ecs/ecs.config <<'CONFIG'\nECS_CLUSTER={CLUSTER}\nCONFIG\n"
_CHECK: Final = {"Interval": 5, "Timeout": 2, "HealthyThreshold": 2, "UnhealthyThreshold": 2}
_Found = TypeVar("_Found")


class RunningCloud:
    """A LocalStack with an agent and an edge, in which an image `web` of any version is a small server.

    Other `programs` run in the place of other images.
    """

    def __init__(self, cleanup: Cleanup, programs: Mapping[str, Program] = _PROGRAMS) -> None:
        self._local = LocalCloud(cleanup, (), print)
        self.parts = ClusterProcesses()
        self._cleanup = cleanup
        self._programs = programs

    def start(self) -> None:
        """Returns when LocalStack is ready."""
        self._local.open()
        self._local.await_ready()
        start_processes(self.parts, self._cleanup, self.endpoint, self._programs)

    def stop(self) -> None:
        """Ends all of it."""
        self.parts.stop()
        self._local.stop()

    @property
    def endpoint(self) -> str:
        """The URL of LocalStack."""
        return self._local.endpoint

    @property
    def edge(self) -> Process:
        """The load balancers."""
        return self.parts.processes[0]

    @property
    def agent(self) -> Process:
        """The agent of all container instances."""
        return self.parts.processes[1]


class RunningCluster:
    """An account's cluster `mail` with two EC2 instances in two zones, a log group and, once made, a load balancer."""

    def __init__(self, cloud: RunningCloud, account: str) -> None:
        self.cloud = cloud
        self.account = account
        self.balancer = f"front-{account[-3:]}"
        """The name of its load balancer. All accounts share the names of DNS here."""
        self.ecs, self.ec2, self.elb, self.logs = map(self.client, ("ecs", "ec2", "elb", "logs"))

    def client(self, service: str) -> Any:
        """A client of boto3 for the account."""
        session: Any = local_session(self.account)
        return session.client(service, endpoint_url=self.cloud.endpoint)

    def make(self) -> None:
        """Returns when both instances have registered."""
        self.ecs.create_cluster(clusterName=CLUSTER)
        image = self.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        for zone in "ab":
            self.ec2.run_instances(
                ImageId=image,
                MinCount=1,
                MaxCount=1,
                InstanceType="t3.small",
                Placement={"AvailabilityZone": f"{REGION}{zone}"},
                UserData=_USER_DATA,
            )
        self.logs.create_log_group(logGroupName="/ecs/web")
        self.until(lambda: len(self.instances()) == len("ab"), "both instances to register")

    def balance(self) -> list[dict[str, Any]]:
        """Makes a Classic ELB in front of port 8080, which drains nothing. Returns what a service says of it."""
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": PORT}
        zones = [f"{REGION}{zone}" for zone in "ab"]
        self.elb.create_load_balancer(LoadBalancerName=self.balancer, Listeners=[listener], AvailabilityZones=zones)
        self.elb.configure_health_check(
            LoadBalancerName=self.balancer, HealthCheck={"Target": f"HTTP:{PORT}/", **_CHECK}
        )
        return [{"loadBalancerName": self.balancer, "containerName": "web", "containerPort": PORT}]

    @property
    def url(self) -> str:
        """Of the load balancer, on this machine."""
        [found] = self.elb.describe_load_balancers(LoadBalancerNames=[self.balancer])["LoadBalancerDescriptions"]
        return f"http://{self.cloud.parts.await_listener(found['DNSName'], 80)}/"

    def until(self, condition: Callable[[], _Found], what: str) -> _Found:
        """Waits; what was seen instead is the agent's log."""
        return until(condition, what, seconds=SECONDS, seen=lambda: self.cloud.agent.tail(40))

    def instances(self) -> list[dict[str, Any]]:
        """The container instances."""
        arns = self.ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]
        if not arns:
            return []
        asked = self.ecs.describe_container_instances(cluster=CLUSTER, containerInstances=arns)
        return list(asked["containerInstances"])

    def define(self, image: str, *, port: bool = True) -> str:
        """A revision of `web` with this image, whose VERSION is the image's tag; its ARN."""
        options = {"awslogs-group": "/ecs/web", "awslogs-region": REGION, "awslogs-stream-prefix": "web"}
        container = {
            "name": "web",
            "image": image,
            "memory": 64,
            "environment": [{"name": "VERSION", "value": image.partition(":")[2]}],
            "portMappings": [{"containerPort": PORT, "hostPort": PORT if port else 0}],
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }
        made = self.ecs.register_task_definition(family="web", containerDefinitions=[container])
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def serve(self, **more: Any) -> None:
        """The service `web` of two tasks, one of which may be missing."""
        self.ecs.create_service(
            cluster=CLUSTER,
            serviceName="web",
            taskDefinition="web",
            desiredCount=2,
            launchType="EC2",
            deploymentConfiguration={
                "minimumHealthyPercent": 50,
                "maximumPercent": 100,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
            **more,
        )

    def service(self) -> dict[str, Any]:
        """The service `web`."""
        described: dict[str, Any] = self.ecs.describe_services(cluster=CLUSTER, services=["web"])["services"][0]
        return described

    def tasks(self) -> list[str]:
        """The ARNs of the service's tasks."""
        return sorted(self.ecs.list_tasks(cluster=CLUSTER, serviceName="web")["taskArns"])

    def task(self, arn: str) -> dict[str, Any]:
        """The task as it is now."""
        found: dict[str, Any] = self.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]
        return found

    def stopped(self, arn: str) -> dict[str, Any]:
        """The task, once it is STOPPED; {} before."""
        task = self.task(arn)
        return task if task["lastStatus"] == "STOPPED" else {}

    def reasons(self) -> list[str]:
        """Why tasks have stopped."""
        arns = self.ecs.list_tasks(cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"]
        found = self.ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
        return [each["stoppedReason"] for each in found]

    def addresses(self) -> list[str]:
        """Where the host ports of its instances are."""
        found = parsed(request("GET", self.cloud.endpoint + path(None), seconds=SECONDS).data)
        own = {each["ec2InstanceId"] for each in self.instances()}
        return [each.address for each in found.host_ports if each.instance in own]
