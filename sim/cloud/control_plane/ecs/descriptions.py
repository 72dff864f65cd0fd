"""Services and their deployments as AWS's API describes them."""

from __future__ import annotations

from collections.abc import Collection

from sim.cloud.control_plane.call import Values
from sim.cloud.control_plane.ecs.services import Deployment, Service, deployment_configuration
from sim.cloud.control_plane.ecs.tasks import Task

_IN_DEPLOYMENTS = ("capacityProviderStrategy", "launchType", "networkConfiguration", "platformVersion")


def service(given: Service, tasks: Collection[Task]) -> Values:
    """The service as DescribeServices returns it, without the tags. `tasks` are the tasks of the service.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
    """
    role = {"roleArn": given.settings["role"]} if given.settings.get("role") else {}
    return {
        **{name: value for name, value in given.settings.items() if name != "role"},
        **role,
        **counts(tasks),
        "serviceArn": given.arn,
        "serviceName": given.name,
        "clusterArn": given.cluster_arn,
        "status": given.status,
        "desiredCount": given.desired_count,
        "taskDefinition": given.primary.task_definition,
        "deploymentConfiguration": deployment_configuration(given),
        "deployments": [_deployment(given, each, tasks) for each in given.deployments],
        "events": [{"id": each.id, "createdAt": each.created_at, "message": each.message} for each in given.events],
        "createdAt": given.created_at,
    }


def counts(tasks: Collection[Task]) -> Values:
    """How many tasks are running, and how many are pending."""
    return {
        "runningCount": sum(each.last_status == "RUNNING" for each in tasks),
        "pendingCount": sum(each.desired_status == "RUNNING" and each.last_status != "RUNNING" for each in tasks),
    }


def _deployment(of: Service, deployment: Deployment, tasks: Collection[Task]) -> Values:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html"""
    primary = deployment is of.primary
    # AWS leaves the rollout state out for services behind a Classic ELB.
    rollout = {"rolloutState": deployment.rollout_state, "rolloutStateReason": _reason(deployment)}
    return {
        **{name: deployment.settings[name] for name in _IN_DEPLOYMENTS if name in deployment.settings},
        **counts([each for each in tasks if each.started_by == deployment.id]),
        **({} if of.behind_classic else rollout),
        "id": deployment.id,
        "status": "PRIMARY" if primary else "ACTIVE",
        "taskDefinition": deployment.task_definition,
        "desiredCount": of.desired_count if primary else 0,
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
    }


def _reason(deployment: Deployment) -> str:
    return deployment.rollout_reason or f"ECS deployment {deployment.id} in progress."


def service_deployments(given: Service) -> list[Values]:
    """The deployments as DescribeServiceDeployments returns them, the newest first.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
    """
    known = sorted((*given.deployments, *given.ended), key=lambda each: each.created_at, reverse=True)
    return [_service_deployment(given, each) for each in known]


def _service_deployment(given: Service, deployment: Deployment) -> Values:
    arn = given.arn.replace(":service/", ":service-{}/", 1) + f"/{deployment.number}"
    status = _status(given, deployment)
    finished = {} if status.endswith("IN_PROGRESS") else {"finishedAt": deployment.updated_at}
    return {
        "serviceDeploymentArn": arn.format("deployment"),
        "serviceArn": given.arn,
        "clusterArn": given.cluster_arn,
        "createdAt": deployment.created_at,
        "startedAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        "targetServiceRevision": {"arn": arn.format("revision"), "requestedTaskCount": given.desired_count},
        "status": status,
        "statusReason": _reason(deployment),
        "deploymentConfiguration": deployment_configuration(given),
        **finished,
    }


def _status(given: Service, deployment: Deployment) -> str:
    if deployment.rollout_state == "COMPLETED":
        return "SUCCESSFUL"
    if deployment.rollout_state == "FAILED":
        primary = given.primary
        if primary.id == deployment.id:
            return "STOPPED"
        return "ROLLBACK_IN_PROGRESS" if primary.rollout_state == "IN_PROGRESS" else "ROLLBACK_SUCCESSFUL"
    return "IN_PROGRESS" if deployment.id == given.primary.id else "STOPPED"
