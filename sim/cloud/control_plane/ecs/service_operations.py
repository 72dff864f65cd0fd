"""Operations on services and their deployments."""

from __future__ import annotations

from sim.aws.arn import last_part
from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.ecs import descriptions
from sim.cloud.control_plane.ecs.refusals import refuse_contradictions, refuse_rebalancing, refuse_service
from sim.cloud.control_plane.ecs.services import create, delete, update
from sim.cloud.control_plane.ecs.state import (
    Contents,
    States,
    Surroundings,
    as_tags,
    cluster_name,
    described_cluster,
    page,
    tags_of,
    wants_tags,
)
from sim.cluster.desired import Place
from sim.cluster.services import Service
from sim.cluster.task_definitions import TaskDefinition

_BRIEF = (
    *("serviceDeploymentArn", "serviceArn", "clusterArn", "createdAt", "startedAt", "finishedAt"),
    *("status", "statusReason"),
)


class ServiceOperations:
    """Handles the operations on the services of a cluster."""

    def __init__(self, states: States, around: Surroundings) -> None:
        self._states = states
        self._around = around
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
        contents, name = self._states.of(call).contents(call), call.parameters["serviceName"]
        before = contents.cluster.services.get(name)
        if before and before.status == "ACTIVE":
            raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")
        if before and before.status == "DRAINING":
            raise AwsError("InvalidParameterException", "Unable to Start a service that is still Draining.")
        definition = self._definition(call)
        if definition is None:
            raise AwsError("InvalidParameterException", "TaskDefinition can not be blank.")
        made, record = create(
            call.arn("ecs", f"service/{cluster_name(call)}/{name}"),
            described,
            call.parameters,
            definition,
            self._around.new_deployment(),
            self._around.now(),
            tags=tags_of(call.parameters.get("tags")),
            bake_seconds=self._around.bake_for(call),
        )
        refuse_contradictions(record.settings, definition, call.parameters.get("desiredCount"))
        refuse_rebalancing(record.settings)
        if self._around.driven():
            refuse_service(Place(call.account, call.region), record.settings, definition)
        contents.put_service(made, record)
        return {"service": _described(made, contents, tags=True)}

    def update(self, call: Call) -> Values:
        contents = self._states.of(call).contents(call)
        service = contents.service(call.parameters["service"])
        if service.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        updated, record = update(
            service,
            contents.services[service.name],
            call.parameters,
            self._definition(call),
            self._around.new_deployment(),
            self._around.now(),
            bake_seconds=self._around.bake_for(call),
        )
        refuse_rebalancing(record.settings)
        if self._around.driven():
            refuse_service(Place(call.account, call.region), record.settings, updated.primary.revision.definition)
        contents.put_service(updated, record)
        return {"service": _described(updated, contents, tags=False)}

    def delete(self, call: Call) -> Values:
        contents = self._states.of(call).contents(call)
        service = contents.service(call.parameters["service"])
        deleted = delete(service, force=bool(call.parameters.get("force")))
        contents.put_service(deleted, contents.services[service.name])
        return {"service": _described(deleted, contents, tags=False)}

    def describe(self, call: Call) -> Values:
        described_cluster(call)
        contents = self._states.of(call).contents(call)
        asked = {name: contents.cluster.services.get(last_part(name)) for name in call.parameters["services"]}
        return {
            "services": [_described(each, contents, tags=wants_tags(call)) for each in asked.values() if each],
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
        contents, asked = self._states.of(call).contents(call), call.parameters
        found = [
            contents.services[each.name].arn
            for each in contents.cluster.services.values()
            if each.status != "INACTIVE"
            and asked.get("launchType") in (None, contents.services[each.name].settings.get("launchType"))
            and asked.get("schedulingStrategy") in (None, each.settings.scheduling)
        ]
        return page(call, "serviceArns", found)

    def list_deployments(self, call: Call) -> Values:
        contents = self._states.of(call).contents(call)
        service = contents.service(call.parameters["service"])
        wanted, since = call.parameters.get("status"), (call.parameters.get("createdAt") or {}).get("after")
        found = [
            {name: each[name] for name in _BRIEF if name in each}
            | {"targetServiceRevisionArn": each["targetServiceRevision"]["arn"]}
            for each in _deployments(service, contents)
            if (not wanted or each["status"] in wanted) and (since is None or each["createdAt"] >= since)
        ]
        return {"serviceDeployments": found}

    def describe_deployments(self, call: Call) -> Values:
        known = {
            each["serviceDeploymentArn"]: each
            for contents in self._states.of(call).clusters.values()
            for service in contents.cluster.services.values()
            for each in _deployments(service, contents)
        }
        asked = call.parameters["serviceDeploymentArns"]
        return {
            "serviceDeployments": [known[arn] for arn in asked if arn in known],
            "failures": [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in known],
        }

    def _definition(self, call: Call) -> TaskDefinition | None:
        """The task definition that the call names, None if it names none. Raises AwsError: ClientException."""
        name = call.parameters.get("taskDefinition")
        if not name:
            return None
        definition = self._states.of(call).definitions.find(name)
        if definition.status != "ACTIVE":
            raise AwsError("ClientException", "TaskDefinition is inactive")
        return definition.scheduled()


def _deployments(service: Service, contents: Contents) -> list[Values]:
    return descriptions.service_deployments(service, contents.services[service.name], contents.tasks_of(service))


def _described(service: Service, contents: Contents, *, tags: bool) -> Values:
    record = contents.services[service.name]
    described = descriptions.service(service, record, contents.tasks_of(service))
    return described | ({"tags": as_tags(record.tags)} if tags else {})
