"""Every role of the cluster does what it does under its own policies: nothing is missing, and what is taken away is
missed by exactly what needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest
from botocore.exceptions import ClientError
from python_on_whales import DockerClient

from release.deploy import Outcome
from services.pipeline.message import Email
from sim.aws.arn import last_part
from sim.client.tracker import EmailTracker
from sim.cloud.aws_client import local_session
from sim.cloud.permissions import RoleReport, reports
from sim.host.waiting import until
from sim.targets.cluster import ClusterTarget
from sim.targets.cluster_tasks import ContainerTasks
from sim.targets.target import Capability, Service
from tests.e2e.deployments import SECONDS, cluster, deploy_role, ecs_of
from tests.workflow_roles import SESSION, keys_of, session

__all__ = ["cluster"]

pytestmark = pytest.mark.needs(Capability.DEPLOY)


class Role:
    """A role of one of the services, by its name in the task definition."""

    def __init__(self, cluster: ClusterTarget, service: Service, kind: str) -> None:
        self._endpoint = cluster.data_plane.endpoint
        defined = cluster.service(service).described()["taskDefinition"]
        self.definition = ecs_of(cluster).describe_task_definition(taskDefinition=defined)["taskDefinition"]
        self.arn: str = self.definition[kind]
        self.name = self.arn.rpartition("/")[2]

    @property
    def report(self) -> RoleReport:
        [found] = [each for each in reports(self._endpoint) if each.role == self.arn]
        return found

    def denied(self) -> dict[str, str]:
        """What was denied: the resource by the action."""
        return {each.action: each.resource for each in self.report.denied}

    @contextmanager
    def without(self, action: str) -> Iterator[None]:
        """Takes an action away from its only policy, until the block ends."""
        iam: Any = local_session().client("iam", endpoint_url=self._endpoint)
        [policy] = iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=self.name, PolicyName=policy)["PolicyDocument"]
        put = {"RoleName": self.name, "PolicyName": policy}
        iam.put_role_policy(**put, PolicyDocument=json.dumps(_less(document, action)))
        try:
            yield
        finally:
            iam.put_role_policy(**put, PolicyDocument=json.dumps(document))


def _less(document: dict[str, Any], action: str) -> dict[str, Any]:
    statements, found = [], 0
    for statement in document["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        left = [each for each in actions if each != action]
        found += len(actions) - len(left)
        if left:
            statements.append({**statement, "Action": left})
    assert found == 1, f"{action} is not in {document}"
    return {**document, "Statement": statements}


def test_nothing_is_missing_of_what_the_pipeline_needs(
    cluster: ClusterTarget, tracker: EmailTracker, email: Email
) -> None:
    tracker.publish(email)
    tracker.verify()
    found = reports(cluster.data_plane.endpoint)
    assert {each.role: each.denied for each in found if each.denied} == {}
    assert {each.role: each.unknown for each in found if each.unknown} == {}
    used = {each.action for of in found for each in of.used}
    assert {"sqs:SendMessage", "ssm:GetParameter", "sqs:ReceiveMessage", "s3:PutObject", "logs:PutLogEvents"} <= used
    assert {"ecs:RegisterContainerInstance", "ecs:Submit*"} <= used


def test_an_api_that_may_not_send_refuses_the_email_and_says_why(
    cluster: ClusterTarget, tracker: EmailTracker, email: Email
) -> None:
    role = Role(cluster, "api", "taskRoleArn")
    with role.without("sqs:SendMessage"):
        answer = cluster.client().publish(email)
        assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE, answer.document
    [(action, queue)] = role.denied().items()
    assert action == "sqs:SendMessage"
    _until_logged(cluster, role, "api", f"is not authorized to perform: sqs:sendmessage on resource: {queue}")
    tracker.publish(email)
    tracker.verify()


def test_a_worker_that_may_not_store_keeps_the_email_until_it_may(
    cluster: ClusterTarget, tracker: EmailTracker, email: Email
) -> None:
    role = Role(cluster, "worker", "taskRoleArn")
    with role.without("s3:PutObject"):
        tracker.publish(email)
        _until_logged(cluster, role, "worker", "is not authorized to perform: s3:PutObject on resource: ")
        until(
            lambda: "sqs:ChangeMessageVisibility" in {each.action for each in role.report.used},
            "the worker to keep the message to itself",
            seconds=SECONDS,
        )
    assert set(role.denied()) == {"s3:PutObject"}
    tracker.verify()


def test_a_task_whose_image_may_not_be_pulled_does_not_start(cluster: ClusterTarget) -> None:
    role, worker, ecs = Role(cluster, "worker", "executionRoleArn"), cluster.service("worker"), ecs_of(cluster)
    started = {"cluster": worker.cluster, "taskDefinition": role.definition["taskDefinitionArn"]}
    _forget_image(cluster, role)
    with role.without("ecr:BatchGetImage"):
        [task] = ecs.run_task(**started)["tasks"]
        [ended] = worker.await_ended([task], SECONDS)
    [container] = ended["containers"]
    assert ended["stopCode"] == "TaskFailedToStart"
    assert container["reason"].startswith("CannotPullContainerError"), container
    assert (
        f"/{ended['taskArn'].rpartition('/')[2]} is not authorized to perform: ecr:BatchGetImage"
        in (container["reason"])
    )
    assert set(role.denied()) == {"ecr:BatchGetImage"}
    [task] = ecs.run_task(**started)["tasks"]
    ecs.get_waiter("tasks_running").wait(cluster=worker.cluster, tasks=[task["taskArn"]])
    assert "ecr:BatchGetImage" in {each.action for each in role.report.used}
    ecs.stop_task(cluster=worker.cluster, task=task["taskArn"])


def _forget_image(cluster: ClusterTarget, role: Role) -> None:
    """Has the engine forget the image of a role's tasks, as if none had run. Tasks that are processes have no engine.

    Terraform has the agents pull an image once, and all container instances share the engine's images.
    """
    if isinstance(cluster.tasks, ContainerTasks):
        [container] = role.definition["containerDefinitions"]
        DockerClient().image.remove(container["image"], force=True)


def test_the_deploy_role_may_deploy_the_worker_and_its_scaling(cluster: ClusterTarget) -> None:
    """That it may deploy the API, the deployments beside this show."""
    with deploy_role(cluster) as deployment:
        verdict = deployment.deploy("worker")
    assert verdict.outcome is Outcome.DEPLOYED, str(verdict)


def test_the_deploy_role_passes_the_roles_of_the_services_and_no_other(cluster: ClusterTarget) -> None:
    """Whoever could pass any role would have what that role may do, by a task of his own."""
    endpoint, api = cluster.data_plane.endpoint, cluster.service("api")
    deploy = last_part(cluster.local_roots.root("github").outputs()["deploy_role_arn"])
    ecs: Any = session(keys_of(endpoint, deploy)).client("ecs", endpoint_url=endpoint)
    present = api.definition()
    assert ecs.update_service(cluster=api.cluster, service=api.name, taskDefinition=present["taskDefinitionArn"])
    [foreign] = [each.role for each in reports(endpoint) if each.role.endswith("-instances")]
    with_it = {**present, "taskRoleArn": foreign}
    asked = {name: value for name, value in with_it.items() if name in {"family", "containerDefinitions"}}
    roles = {name: with_it[name] for name in ("executionRoleArn", "taskRoleArn")}
    # Another has registered it, who may.
    update = {"cluster": api.cluster, "service": api.name, "taskDefinition": api.revised(with_it)}
    for call, parameters in ((ecs.register_task_definition, {**asked, **roles}), (ecs.update_service, update)):
        with pytest.raises(ClientError) as denied:
            call(**parameters)
        who = f"assumed-role/{deploy}/{SESSION} is not authorized to perform: iam:PassRole on resource: {foreign}"
        assert f"{who} because no identity-based policy allows the iam:PassRole action" in str(denied.value)
    assert api.described()["taskDefinition"] == present["taskDefinitionArn"]


def _until_logged(cluster: ClusterTarget, role: Role, service: Service, text: str) -> None:
    """Waits for AWS's error in the log of a service. It names the session of one of its tasks."""
    tasks = [each["taskArn"].rpartition("/")[2] for each in cluster.service(service).tasks()]
    texts = [f"assumed-role/{role.name}/{task} {text}" for task in tasks]
    until(
        lambda: any(each in cluster.tasks.log(service) for each in texts),
        f"a session that {text}",
        seconds=SECONDS,
        seen=lambda: cluster.tasks.log(service)[-2000:],
    )
