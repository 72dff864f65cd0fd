"""ECS: clusters, capacity providers and account settings are moto's; all that is in a cluster is kept here."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from sim.cloud.control_plane.call import Call, Operations, Regional, Route, Values
from sim.cloud.control_plane.ecs.operations.cluster_operations import ClusterOperations
from sim.cloud.control_plane.ecs.operations.container_instance_operations import ContainerInstanceOperations
from sim.cloud.control_plane.ecs.operations.service_operations import ServiceOperations
from sim.cloud.control_plane.ecs.operations.task_definition_operations import TaskDefinitionOperations
from sim.cloud.control_plane.ecs.operations.task_operations import TaskOperations
from sim.cloud.control_plane.ecs.services import Change
from sim.cloud.control_plane.ecs.state import State


class Ecs:
    """The operations that are answered here, and where a scheduler tells what it does."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        def change() -> Change:
            return Change(now(), lambda: uuid.uuid4().hex)

        self._change = change
        self._states = Regional(State)
        self.operations: Operations = {
            **ClusterOperations(self._states).operations,
            **ContainerInstanceOperations(self._states, change).operations,
            **ServiceOperations(self._states, change).operations,
            **TaskDefinitionOperations(self._states, now).operations,
            **TaskOperations(self._states, change).operations,
        }
        self.routes: dict[str, Route] = {"/_sim/<account>/<region>/ecs/<cluster>/<service>/events": self.told}

    def told(self, _: str, place: dict[str, str], body: Values) -> Values:
        """What the service scheduler has to tell of a service, such as why it places no task: {"message": ...}."""
        cluster = self._states.at(place["account"], place["region"]).clusters[place["cluster"]]
        change = self._change()
        cluster.put_service(change.event(cluster.service(place["service"]), str(body["message"])), change)
        return {}

    def has_service(self, call: Call, cluster: str, name: str) -> bool:
        """Whether the caller has the service, and it is active."""
        service = self._states.of(call).clusters[cluster].services.get(name)
        return service is not None and service.status == "ACTIVE"
