"""ECS. moto keeps clusters, capacity providers and account settings; this plugin keeps what is inside a cluster."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from sim.cloud.control_plane.call import Call, Operations, Regional, Route, Values
from sim.cloud.control_plane.ecs.cluster_operations import ClusterOperations
from sim.cloud.control_plane.ecs.container_instance_operations import ContainerInstanceOperations
from sim.cloud.control_plane.ecs.service_operations import ServiceOperations
from sim.cloud.control_plane.ecs.services import Change
from sim.cloud.control_plane.ecs.state import State
from sim.cloud.control_plane.ecs.task_definition_operations import TaskDefinitionOperations
from sim.cloud.control_plane.ecs.task_operations import TaskOperations


class Ecs:
    """The operations that the plugin answers, and the route on which a service scheduler reports events."""

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
        self.routes: dict[str, Route] = {"/_sim/<account>/<region>/ecs/<cluster>/<service>/events": self.report_event}

    def report_event(self, _: str, place: dict[str, str], body: Values) -> Values:
        """Adds an event to a service, such as why no task can be placed. The body is {"message": ...}."""
        cluster = self._states.at(place["account"], place["region"]).clusters[place["cluster"]]
        change = self._change()
        cluster.put_service(change.event(cluster.service(place["service"]), str(body["message"])), change)
        return {}

    def has_service(self, call: Call, cluster: str, name: str) -> bool:
        """True if the caller has an active service of this name."""
        service = self._states.of(call).clusters[cluster].services.get(name)
        return service is not None and service.status == "ACTIVE"
