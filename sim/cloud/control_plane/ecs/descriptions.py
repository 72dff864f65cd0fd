"""Services and their deployments as AWS's API describes them."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sim.cloud.control_plane.call import Values, moment
from sim.cloud.control_plane.ecs.services import ServiceRecord, deployment_configuration
from sim.cluster.deployments import Deployment
from sim.cluster.events import Event
from sim.cluster.services import Service
from sim.cluster.tasks import Task

_IN_DEPLOYMENTS = ("capacityProviderStrategy", "launchType", "networkConfiguration", "platformVersion")


def service(given: Service, record: ServiceRecord, tasks: Collection[Task]) -> Values:
    """The service as DescribeServices returns it, without the tags. `tasks` are the tasks of the service.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
    """
    values = record.of(given)
    role = {"roleArn": values["role"]} if values.get("role") else {}
    return {
        **{name: value for name, value in values.items() if name != "role"},
        **role,
        **counts(tasks),
        "serviceArn": record.arn,
        "serviceName": given.name,
        "clusterArn": record.cluster_arn,
        "status": given.status,
        "desiredCount": given.desired_count,
        "taskDefinition": given.primary.revision.definition.arn,
        "deploymentConfiguration": deployment_configuration(values),
        "deployments": [_deployment(given, record, each, tasks) for each in given.deployments],
        "events": [_event(record, each) for each in given.events],
        "createdAt": moment(record.created_at),
    }


def counts(tasks: Collection[Task]) -> Values:
    """How many tasks are running, and how many are pending."""
    return {
        "runningCount": sum(each.last_status == "RUNNING" for each in tasks),
        "pendingCount": sum(each.to_run and each.last_status != "RUNNING" for each in tasks),
    }


def _event(record: ServiceRecord, event: Event) -> Values:
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{record.arn} {event.at} {event.message}")
    return {"id": str(identity), "createdAt": moment(event.at), "message": event.message}


def _deployment(of: Service, record: ServiceRecord, deployment: Deployment, tasks: Collection[Task]) -> Values:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html"""
    primary, values = deployment is of.primary, record.deployed[deployment.id]
    # AWS leaves the rollout state out for services behind a Classic ELB.
    rollout = {"rolloutState": deployment.rollout_state, "rolloutStateReason": deployment.rollout_reason}
    return {
        **{name: values[name] for name in _IN_DEPLOYMENTS if name in values},
        **counts([each for each in tasks if each.deployment == deployment.id]),
        **({} if record.behind_classic else rollout),
        "id": deployment.id,
        "status": "PRIMARY" if primary else "ACTIVE",
        "taskDefinition": deployment.revision.definition.arn,
        "desiredCount": of.desired_count if primary else 0,
        "failedTasks": deployment.failed_tasks,
        "createdAt": moment(deployment.created_at),
        "updatedAt": moment(deployment.updated_at),
    }


def service_deployments(given: Service, record: ServiceRecord, tasks: Collection[Task]) -> list[Values]:
    """The deployments as DescribeServiceDeployments returns them, the newest first. `tasks` are those of the service.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
    """
    known = sorted((*given.deployments, *given.ended), key=lambda each: each.created_at, reverse=True)
    revisions = [_revision(given, record, each, tasks) for each in known]
    return [
        _service_deployment(given, record, each, revisions[number : number + 2]) for number, each in enumerate(known)
    ]


def _service_deployment(
    given: Service, record: ServiceRecord, deployment: Deployment, revisions: list[Values]
) -> Values:
    """`revisions` are its own, and the one that it replaces if there is one."""
    status = _status(given, deployment)
    finished = {} if status.endswith("IN_PROGRESS") else {"finishedAt": moment(deployment.updated_at)}
    return {
        "serviceDeploymentArn": _arn(record, "deployment", deployment),
        "serviceArn": record.arn,
        "clusterArn": record.cluster_arn,
        "createdAt": moment(deployment.created_at),
        "startedAt": moment(deployment.created_at),
        "updatedAt": moment(deployment.updated_at),
        "sourceServiceRevisions": revisions[1:],
        "targetServiceRevision": revisions[0],
        "status": status,
        "statusReason": deployment.rollout_reason,
        "deploymentConfiguration": deployment_configuration(record.of(given)),
        **finished,
    }


def _revision(given: Service, record: ServiceRecord, deployment: Deployment, tasks: Collection[Task]) -> Values:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceRevisionSummary.html"""
    now = counts([each for each in tasks if each.deployment == deployment.id])
    return {
        "arn": _arn(record, "revision", deployment),
        "requestedTaskCount": given.desired_count if deployment.id == given.primary.id else 0,
        "runningTaskCount": now["runningCount"],
        "pendingTaskCount": now["pendingCount"],
    }


def _arn(record: ServiceRecord, kind: str, deployment: Deployment) -> str:
    number = deployment.id.rpartition("/")[2]
    return record.arn.replace(":service/", f":service-{kind}/", 1) + f"/{number}"


def _status(given: Service, deployment: Deployment) -> str:
    if deployment.rollout_state == "COMPLETED":
        return "SUCCESSFUL"
    if deployment.rollout_state == "FAILED":
        primary = given.primary
        if primary.id == deployment.id:
            return "STOPPED"
        return "ROLLBACK_IN_PROGRESS" if primary.rollout_state == "IN_PROGRESS" else "ROLLBACK_SUCCESSFUL"
    return "IN_PROGRESS" if deployment.id == given.primary.id else "STOPPED"
