"""Stand-ins for the agents and the load balancer of a cluster: they report over HTTP as the real ones do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from sim.cloud.aws_client import REGION
from sim.cloud.desired import parsed, path
from sim.cluster.desired import Desired, DesiredTask
from sim.host.loopback import request

CLUSTER = "c"
_SECONDS = 30.0
Values = dict[str, Any]


class Fleet:
    """One account's cluster `c`, with the agents of its EC2 instances and the load balancer `e`, in one thread.

    A task runs as soon as it is wanted, and stops as soon as it is not. `health` is what is reported of its
    containers, `broken` has the images that cannot be pulled. Without `drains`, what leaves `e` does not drain.
    """

    def __init__(self, endpoint: str, account: str, aws: Callable[[str], Any]) -> None:
        self.endpoint = endpoint
        self.account = account
        self.ecs, self.elb, self.ec2 = aws("ecs"), aws("elb"), aws("ec2")
        self.ecs.create_cluster(clusterName=CLUSTER)
        self.revision: int | None = None
        self.broken: set[str] = set()
        self.health = "HEALTHY"
        self.drains = True
        self._reported: set[tuple[str, str]] = set()
        self._members: dict[str, dict[str, int]] = {}
        self._left: set[str] = set()

    def join(self, *, zone: str = f"{REGION}a", memory: int = 1024) -> str:
        """An EC2 instance starts, and its agent registers it; the ARN of the container instance."""
        run = self.ec2.run_instances(ImageId=self.image(), MinCount=1, MaxCount=1, Placement={"AvailabilityZone": zone})
        return self.register(run["Instances"][0]["InstanceId"], zone=zone, memory=memory)

    def image(self) -> str:
        """An AMI."""
        return str(self.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"])

    def register(self, ec2: str, *, zone: str = f"{REGION}a", memory: int = 1024) -> str:
        """The agent of an EC2 instance registers it; the ARN of the container instance."""
        identity = {"instanceId": ec2, "availabilityZone": zone}
        made = self.ecs.register_container_instance(
            cluster=CLUSTER,
            instanceIdentityDocument=json.dumps(identity),
            totalResources=[
                {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
                {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22"]},
            ],
            attributes=[{"name": "ecs.capability.container-health-check"}],
        )
        return str(made["containerInstance"]["containerInstanceArn"])

    def define(self, image: str, family: str = "api", **more: Any) -> str:
        """A task definition with one container, which has a health check; its ARN."""
        container = {
            "name": family,
            "image": image,
            "memory": 256,
            "healthCheck": {"command": ["CMD", "true"]},
            "portMappings": [{"containerPort": 8080, "hostPort": 8080}],
            **more,
        }
        made = self.ecs.register_task_definition(family=family, containerDefinitions=[container])
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def balance(self, *, drain: int = 300) -> list[Values]:
        """The Classic ELB `e` in front of port 8080; what a service says of it."""
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8080}
        self.elb.create_load_balancer(LoadBalancerName="e", Listeners=[listener], AvailabilityZones=[f"{REGION}a"])
        attributes = {"ConnectionDraining": {"Enabled": True, "Timeout": drain}}
        self.elb.modify_load_balancer_attributes(LoadBalancerName="e", LoadBalancerAttributes=attributes)
        return [{"loadBalancerName": "e", "containerName": "api", "containerPort": 8080}]

    def service(self, **more: Any) -> Values:
        """The service `api` of one task."""
        asked = {"taskDefinition": "api", "desiredCount": 1, **more}
        made: Values = self.ecs.create_service(cluster=CLUSTER, serviceName="api", **asked)["service"]
        return made

    def described(self, name: str = "api") -> Values:
        """The service as it is now."""
        found: Values = self.ecs.describe_services(cluster=CLUSTER, services=[name])["services"][0]
        return found

    def messages(self) -> list[str]:
        """The events of the service `api`, the oldest first."""
        return [each["message"].removeprefix("(service api) ") for each in reversed(self.described()["events"])]

    def images(self) -> list[str]:
        """Those of the tasks that are to run."""
        return sorted(_image(each) for each in self.mine(self.desired()) if each.desired_status == "RUNNING")

    def desired(self) -> Desired:
        """The desired state as it is now."""
        return self._ask(None)

    def mine(self, desired: Desired) -> list[DesiredTask]:
        """The tasks of this account."""
        return [each for each in desired.tasks if each.place.account == self.account]

    def put(self, route: str, body: Values, method: str = "PUT") -> int:
        """Reports something on a route of the control plane; the HTTP status."""
        url = f"{self.endpoint}/_sim/{self.account}/{REGION}/{route}"
        headers = {"Content-Type": "application/json"}
        return request(method, url, seconds=10, body=json.dumps(body).encode(), headers=headers).status

    def status(self, task: str) -> str:
        """The last status of a task."""
        [found] = self.ecs.describe_tasks(cluster=CLUSTER, tasks=[task])["tasks"]
        return str(found["lastStatus"])

    def tasks_on(self, instance: str) -> int:
        """How many tasks a container instance has."""
        return len([each for each in self.mine(self.desired()) if each.container_instance == instance])

    def ec2_id(self, instance: str) -> str:
        """The EC2 instance of a container instance."""
        found = self.ecs.describe_container_instances(cluster=CLUSTER, containerInstances=[instance])
        return str(found["containerInstances"][0]["ec2InstanceId"])

    def drained(self) -> None:
        """The load balancer `e` reports that what has left it has drained."""
        self.drains = True
        for instance in self._left:
            self.put(f"elb/e/instances/{instance}/health", {}, "DELETE")

    def settle(self, done: Callable[[], bool], what: str) -> None:
        """Does what is desired, until something is so. Fails with the service's events if it never is."""
        end = time.monotonic() + _SECONDS
        while not done():
            assert time.monotonic() < end, f"waited {_SECONDS:g} s for {what}; events: {self.messages()}"
            state = self._ask(self.revision)
            self.revision = state.revision
            self._tend(state)
            self._check(state)

    def stable(self) -> bool:
        """True if the service has what it should have, as `aws ecs wait services-stable` sees it."""
        service = self.described()
        return len(service["deployments"]) == 1 and service["runningCount"] == service["desiredCount"]

    def steady(self) -> bool:
        """True if the newest event is the steady state."""
        return self.messages()[-1:] == ["has reached a steady state."]

    def _ask(self, after: int | None) -> Desired:
        answer = request("GET", f"{self.endpoint}{path(after)}", seconds=30)
        assert answer.status == HTTPStatus.OK, answer.data
        return parsed(answer.data)

    def _tend(self, state: Desired) -> None:
        for task in self.mine(state):
            wanted = "STOPPED" if task.desired_status == "STOPPED" or _image(task) in self.broken else "RUNNING"
            if (task.arn, wanted) in self._reported:
                continue
            self._reported.add((task.arn, wanted))
            reason = "CannotPullContainerError: no such image" if _image(task) in self.broken else ""
            self.ecs.submit_task_state_change(cluster=CLUSTER, task=task.arn, status=wanted, reason=reason)
            if wanted == "RUNNING":
                identity = task.arn.rpartition("/")[2]
                assert (
                    self.put(f"ecs/{CLUSTER}/tasks/{identity}/health", {"healthStatus": self.health}) == HTTPStatus.OK
                )

    def _check(self, state: Desired) -> None:
        for balancer in state.balancers:
            if balancer.place.account != self.account:
                continue
            now = {each.instance: each.registration for each in balancer.targets}
            before = self._members.setdefault(balancer.name, {})
            self._left |= before.keys() - now.keys()
            for instance in (before.keys() - now.keys()) if self.drains else ():
                self.put(f"elb/{balancer.name}/instances/{instance}/health", {}, "DELETE")
            for instance, registration in now.items() - before.items():
                health = {"State": "InService", "Registration": registration}
                self.put(f"elb/{balancer.name}/instances/{instance}/health", health)
            self._members[balancer.name] = now


def _image(task: DesiredTask) -> str:
    image: str = task.definition["containerDefinitions"][0]["image"]
    return image
