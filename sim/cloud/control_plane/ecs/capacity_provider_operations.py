"""Operations on capacity providers, which moto keeps."""

from __future__ import annotations

from sim.cloud.control_plane.autoscaling.groups import Groups
from sim.cloud.control_plane.call import Call, Operations, Values, refusals
from sim.cloud.control_plane.cluster import backends
from sim.cluster.autoscaling.group_state import GroupSettings
from sim.cluster.capacity_provider import checked, of_settings
from sim.cluster.container_instances import Remaining
from sim.cluster.desired import Place

_NO_SIZE = Remaining(0, 0, frozenset())


class CapacityProviderOperations:
    """Refuses what AWS refuses, and keeps the managed draining that moto drops from an update."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self.operations: Operations = {
            "CreateCapacityProvider": self.create,
            "UpdateCapacityProvider": self.update,
        }

    def create(self, call: Call) -> Values:
        settings = call.parameters.get("autoScalingGroupProvider") or {}
        self._check(call, settings, settings.get("autoScalingGroupArn") or "")
        return call.forward()

    def update(self, call: Call) -> Values:
        given = call.parameters.get("autoScalingGroupProvider") or {}
        name = call.parameters["name"]
        for known in backends.capacity_providers(Place(call.account, call.region)):
            if known.name == name:
                scaling = {**known.settings["managedScaling"], **(given.get("managedScaling") or {})}
                self._check(call, {**known.settings, **given, "managedScaling": scaling}, known.group)
        answer = call.forward()
        if draining := given.get("managedDraining"):
            backends.set_managed_draining(Place(call.account, call.region), name, draining)
            answer["capacityProvider"]["autoScalingGroupProvider"]["managedDraining"] = draining
        return answer

    def _check(self, call: Call, settings: Values, group: str) -> None:
        """Raises AwsError: ClientException, where AWS does not take the settings for this group."""
        found = self._settings(call, group)
        if found is not None:
            with refusals():
                checked(of_settings("", _NO_SIZE, settings), found)

    def _settings(self, call: Call, group: str) -> GroupSettings | None:
        kept = self._groups.of(call).get(group.rpartition("autoScalingGroupName/")[2])
        return kept.group.settings if kept else None
