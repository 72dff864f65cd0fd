"""ECS: clusters, capacity providers and account settings are moto's; all that is in a cluster is kept here."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from sim.cloud.control_plane.call import Call, Operations, Regional
from sim.cloud.control_plane.ecs.operations.clusters import ClusterOperations
from sim.cloud.control_plane.ecs.operations.container_instances import ContainerInstanceOperations
from sim.cloud.control_plane.ecs.operations.services import ServiceOperations
from sim.cloud.control_plane.ecs.operations.task_definitions import TaskDefinitionOperations
from sim.cloud.control_plane.ecs.operations.tasks import TaskOperations
from sim.cloud.control_plane.ecs.services import Change
from sim.cloud.control_plane.ecs.state import State


class Ecs:
    """The operations that are answered here."""

    def __init__(self) -> None:
        self._states = Regional(State)
        self.operations: Operations = {
            **ClusterOperations(self._states).operations,
            **ContainerInstanceOperations(self._states, _change).operations,
            **ServiceOperations(self._states, _change).operations,
            **TaskDefinitionOperations(self._states, _now).operations,
            **TaskOperations(self._states, _change).operations,
        }

    def has_service(self, call: Call, cluster: str, name: str) -> bool:
        """Whether the caller has the service, and it is active."""
        service = self._states.of(call).clusters[cluster].services.get(name)
        return service is not None and service.status == "ACTIVE"


def _now() -> datetime:
    return datetime.now(UTC)


def _change() -> Change:
    return Change(_now(), lambda: uuid.uuid4().hex)
