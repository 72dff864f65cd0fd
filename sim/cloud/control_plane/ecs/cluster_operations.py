"""Operations on clusters and account settings, which moto keeps, and on the tags of everything in ECS."""

from __future__ import annotations

from dataclasses import replace

from sim.cloud.control_plane.call import AwsError, Call, Operations, Values
from sim.cloud.control_plane.ecs.state import Contents, States, as_tags, cluster_name, tags_of


class ClusterOperations:
    """Adds the contents of clusters, which the plugin keeps, to moto's clusters."""

    def __init__(self, states: States) -> None:
        self._states = states
        self.operations: Operations = {
            "DeleteCluster": self.delete,
            "DescribeClusters": self.describe,
            "ListAccountSettings": self.list_account_settings,
            "ListTagsForResource": self.list_tags,
            "PutAccountSetting": self.put_account_setting,
            "PutAccountSettingDefault": self.put_account_setting,
            "TagResource": self.tag,
            "UntagResource": self.untag,
        }

    def describe(self, call: Call) -> Values:
        answer = call.forward()
        clusters = self._states.of(call).clusters
        return answer | {"clusters": [each | _counts(clusters[each["clusterName"]]) for each in answer["clusters"]]}

    def delete(self, call: Call) -> Values:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html"""
        clusters, name = self._states.of(call).clusters, cluster_name(call)
        cluster = clusters[name].cluster
        if any(each.status != "INACTIVE" for each in cluster.services.values()):
            raise AwsError(
                "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
            )
        if cluster.instances:
            raise AwsError(
                "ClusterContainsContainerInstancesException",
                "The Cluster cannot be deleted while Container Instances are active or draining.",
            )
        if any(not each.stopped for each in cluster.tasks.values()):
            raise AwsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        answer = call.forward()
        del clusters[name]
        return answer

    def put_account_setting(self, call: Call) -> Values:
        """The default of an account whose root user alone calls is what it has itself."""
        return {"setting": _owned(call, call.forward("PutAccountSetting", call.parameters)["setting"])}

    def list_account_settings(self, call: Call) -> Values:
        answer = call.forward()
        return answer | {"settings": [_owned(call, each) for each in answer["settings"]]}

    def list_tags(self, call: Call) -> Values:
        tags = self._tags(call)
        return call.forward() if tags is None else {"tags": as_tags(tags)}

    def tag(self, call: Call) -> Values:
        tags = self._tags(call)
        if tags is None:
            return call.forward()
        return self._retag(call, tags | tags_of(call.parameters["tags"]))

    def untag(self, call: Call) -> Values:
        tags = self._tags(call)
        if tags is None:
            return call.forward()
        return self._retag(call, {key: tags[key] for key in tags if key not in call.parameters["tagKeys"]})

    def _tags(self, call: Call) -> dict[str, str] | None:
        """The tags of the resource that the call names; None if moto keeps them. Raises AwsError."""
        kind, contents, arn = self._named(call)
        match kind:
            case "task-definition":
                return self._states.of(call).definitions.find(arn).tags
            case "service":
                return contents.services[contents.service(arn).name].tags
            case "task":
                return contents.tasks[contents.task(arn).id].tags
            case "container-instance":
                return contents.instances[contents.instance(arn).id].tags
        return None

    def _retag(self, call: Call, tags: dict[str, str]) -> Values:
        kind, contents, arn = self._named(call)
        match kind:
            case "task-definition":
                self._states.of(call).definitions.retag(arn, tags)
            case "service":
                service = contents.service(arn)
                contents.put_service(service, replace(contents.services[service.name], tags=tags))
            case "task":
                task = contents.task(arn)
                contents.put_task(task, replace(contents.tasks[task.id], tags=tags))
            case _:
                instance = contents.instance(arn)
                contents.put_instance(instance, replace(contents.instances[instance.id], tags=tags))
        return {}

    def _named(self, call: Call) -> tuple[str, Contents, str]:
        """The kind, cluster and ARN of the resource that the call names."""
        arn: str = call.parameters["resourceArn"]
        kind, _, rest = arn.rpartition(":")[2].partition("/")
        if ":task-definition/" in arn:
            return "task-definition", Contents(), arn
        name = rest.partition("/")[0]
        return kind, self._states.of(call).clusters[name] if kind != "cluster" else Contents(), arn


def _counts(contents: Contents) -> Values:
    cluster = contents.cluster
    tasks = cluster.tasks.values()
    return {
        "registeredContainerInstancesCount": len(cluster.instances),
        "runningTasksCount": sum(each.last_status == "RUNNING" for each in tasks),
        "pendingTasksCount": sum(each.pending for each in tasks),
        "activeServicesCount": sum(each.status == "ACTIVE" for each in cluster.services.values()),
    }


def _owned(call: Call, setting: Values) -> Values:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Setting.html"""
    return {**setting, "principalArn": f"arn:aws:iam::{call.account}:root", "type": "user"}
