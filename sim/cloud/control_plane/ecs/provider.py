"""ECS. moto keeps clusters, capacity providers and account settings; this plugin keeps what is inside a cluster."""

from __future__ import annotations

from sim.cloud.control_plane.call import AwsError, Call, Operations, Regional, Route, Values
from sim.cloud.control_plane.ecs.cluster_operations import ClusterOperations
from sim.cloud.control_plane.ecs.container_instance_operations import ContainerInstanceOperations
from sim.cloud.control_plane.ecs.service_operations import ServiceOperations
from sim.cloud.control_plane.ecs.state import State, Surroundings
from sim.cloud.control_plane.ecs.task_definition_operations import TaskDefinitionOperations
from sim.cloud.control_plane.ecs.task_operations import TaskOperations


class Ecs:
    """The operations that the plugin answers, and the route on which an agent reports the health of a task."""

    def __init__(self, around: Surroundings) -> None:
        self.states = Regional(State)
        tasks = TaskOperations(self.states, around)
        self.operations: Operations = {
            **ClusterOperations(self.states).operations,
            **ContainerInstanceOperations(self.states, around).operations,
            **ServiceOperations(self.states, around).operations,
            **TaskDefinitionOperations(self.states, around).operations,
            **tasks.operations,
        }
        self.routes: dict[str, Route] = {
            "/_sim/<account>/<region>/ecs/<cluster>/tasks/<task>/health": tasks.report_health
        }

    def has_service(self, call: Call, cluster: str, name: str) -> bool:
        """True if the caller has an active service of this name."""
        service = self.states.of(call).clusters[cluster].cluster.services.get(name)
        return service is not None and service.status == "ACTIVE"

    def defined(self, account: str, region: str, name: str) -> Values:
        """The settings of a task definition, by ARN, family:revision or family; none if there is no such one."""
        try:
            return self.states.at(account, region).definitions.find(name).settings
        except AwsError:
            return {}
