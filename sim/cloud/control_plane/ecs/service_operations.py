"""Operations on services and their deployments."""

from __future__ import annotations

from collections.abc import Callable

from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.ecs import descriptions
from sim.cloud.control_plane.ecs.services import Change, Service, close, create, update
from sim.cloud.control_plane.ecs.state import (
    Cluster,
    States,
    as_tags,
    cluster_name,
    described_cluster,
    last_part,
    page,
    tags_of,
    wants_tags,
)
from sim.cloud.control_plane.ecs.tasks import request_stop

_BRIEF = (
    *("serviceDeploymentArn", "serviceArn", "clusterArn", "createdAt", "startedAt", "finishedAt"),
    *("status", "statusReason"),
)


class ServiceOperations:
    """Handles the operations on the services of a cluster."""

    def __init__(self, states: States, change: Callable[[], Change]) -> None:
        self._states = states
        self._change = change
        self.operations: Operations = {
            "CreateService": self.create,
            "DeleteService": self.delete,
            "DescribeServiceDeployments": self.describe_deployments,
            "DescribeServices": self.describe,
            "ListServiceDeployments": self.list_deployments,
            "ListServices": self.list,
            "UpdateService": self.update,
        }

    def create(self, call: Call) -> Values:
        described = described_cluster(call)
        cluster, name = self._states.of(call).cluster(call), call.parameters["serviceName"]
        before = cluster.services.get(name)
        if before and before.status == "ACTIVE":
            raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")
        if before and before.status == "DRAINING":
            raise AwsError("InvalidParameterException", "Unable to Start a service that is still Draining.")
        definition = self._definition(call)
        if definition is None:
            raise AwsError("InvalidParameterException", "TaskDefinition can not be blank.")
        now = self._change()
        arn = call.arn("ecs", f"service/{cluster_name(call)}/{name}")
        made = create(arn, described, call.parameters, definition, tags_of(call.parameters.get("tags")), now)
        return {"service": _described(cluster.put_service(made, now), cluster, tags=True)}

    def update(self, call: Call) -> Values:
        cluster, now = self._states.of(call).cluster(call), self._change()
        service = cluster.service(call.parameters["service"])
        if service.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        updated = update(service, call.parameters, self._definition(call), now)
        return {"service": _described(cluster.put_service(updated, now), cluster, tags=False)}

    def delete(self, call: Call) -> Values:
        cluster, now = self._states.of(call).cluster(call), self._change()
        service = cluster.service(call.parameters["service"])
        tasks = cluster.tasks_of(service)
        closed = close(service, tasks, force=bool(call.parameters.get("force")))
        cluster.services[service.name] = closed
        reason = f"Scaling activity initiated by (deployment {service.primary.id})"
        for task in tasks:
            if not task.stopped:
                cluster.put_task(request_stop(task, reason, now.now), now)
        return {"service": _described(closed, cluster, tags=False)}

    def describe(self, call: Call) -> Values:
        described_cluster(call)
        cluster = self._states.of(call).cluster(call)
        asked = {name: cluster.services.get(last_part(name)) for name in call.parameters["services"]}
        return {
            "services": [_described(each, cluster, tags=wants_tags(call)) for each in asked.values() if each],
            "failures": [
                {
                    "arn": name if name.startswith("arn:") else call.arn("ecs", f"service/{cluster_name(call)}/{name}"),
                    "reason": "MISSING",
                }
                for name, each in asked.items()
                if each is None
            ],
        }

    def list(self, call: Call) -> Values:
        described_cluster(call)
        asked = call.parameters
        found = [
            each.arn
            for each in self._states.of(call).cluster(call).services.values()
            if each.status != "INACTIVE"
            and asked.get("launchType") in (None, each.settings.get("launchType"))
            and asked.get("schedulingStrategy") in (None, each.settings["schedulingStrategy"])
        ]
        return page(call, "serviceArns", found)

    def list_deployments(self, call: Call) -> Values:
        service = self._states.of(call).cluster(call).service(call.parameters["service"])
        wanted, since = call.parameters.get("status"), (call.parameters.get("createdAt") or {}).get("after")
        found = [
            {name: each[name] for name in _BRIEF if name in each}
            | {"targetServiceRevisionArn": each["targetServiceRevision"]["arn"]}
            for each in descriptions.service_deployments(service)
            if (not wanted or each["status"] in wanted) and (since is None or each["createdAt"] >= since)
        ]
        return {"serviceDeployments": found}

    def describe_deployments(self, call: Call) -> Values:
        known = {
            each["serviceDeploymentArn"]: each
            for cluster in self._states.of(call).clusters.values()
            for service in cluster.services.values()
            for each in descriptions.service_deployments(service)
        }
        asked = call.parameters["serviceDeploymentArns"]
        return {
            "serviceDeployments": [known[arn] for arn in asked if arn in known],
            "failures": [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in known],
        }

    def _definition(self, call: Call) -> str | None:
        """The ARN of the task definition that the call names, with its revision. Raises AwsError: ClientException."""
        name = call.parameters.get("taskDefinition")
        if not name:
            return None
        definition = self._states.of(call).definitions.find(name)
        if definition.status != "ACTIVE":
            raise AwsError("ClientException", "TaskDefinition is inactive")
        return definition.arn


def _described(service: Service, cluster: Cluster, *, tags: bool) -> Values:
    described = descriptions.service(service, cluster.tasks_of(service))
    return described | ({"tags": as_tags(service.tags)} if tags else {})
