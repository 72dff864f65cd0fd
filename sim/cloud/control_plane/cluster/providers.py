"""Capacity providers: ECS makes their Auto Scaling groups grow and shrink, and drains the instances that end.

What users set is in moto's record, and read from there at each step. Managed draining needs no agent to go on: its hook
is completed at once for an instance that no agent has registered, and leaves the group with the provider. So nothing
waits for a hook that nobody completes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from sim.cloud.control_plane.autoscaling.groups import Groups
from sim.cloud.control_plane.autoscaling.records import Record
from sim.cloud.control_plane.call import Regional
from sim.cloud.control_plane.cloudwatch.metrics import Published
from sim.cloud.control_plane.cluster import backends
from sim.cloud.control_plane.cluster.backends import Provider
from sim.cloud.control_plane.ecs.state import Contents, States, Surroundings
from sim.cluster import capacity_provider
from sim.cluster.autoscaling.group_state import Group
from sim.cluster.capacity_provider import DRAINING_HOOK, CapacityProvider, of_settings
from sim.cluster.container_instances import AGENT_PORTS, Remaining
from sim.cluster.desired import Place
from sim.cluster.instance_types import resources
from sim.cluster.scheduler import Cluster

_NAMESPACE: Final = "AWS/ECS/ManagedScaling"


class ProviderSteps:
    """Takes the steps of the capacity providers."""

    def __init__(self, groups: Groups, states: States, around: Surroundings) -> None:
        self._groups = groups
        self._states = states
        self._around = around
        self._known: Regional[dict[str, CapacityProvider]] = Regional(dict)

    def take(self, *, driven: bool) -> bool:
        """A step of each provider; True if it changed a group. While the driver is off a provider only drains."""
        changed = False
        for place, groups in self._groups.everywhere():
            if not groups:
                continue
            providers = {each.group: each for each in backends.capacity_providers(place)}
            for name in list(groups):
                before = groups[name].group
                after = self._step(Record(place, name), before, providers.get(name), driven=driven)
                groups[name] = replace(groups[name], group=after)
                changed = changed or after is not before
        return changed

    def published(self, at: int) -> Iterator[Published]:
        """The latest reading of each provider, as of a second since 1970.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-auto-scaling.html
        """
        for place, known in self._known.everywhere():
            for found in backends.capacity_providers(place):
                readings = known[found.name].readings if found.name in known else ()
                for cluster in found.clusters if readings else ():
                    dimensions = (("CapacityProviderName", found.name), ("ClusterName", cluster))
                    yield Published(
                        place, _NAMESPACE, "CapacityProviderReservation", dimensions, at, readings[-1], "Percent"
                    )

    def _step(self, record: Record, group: Group, found: Provider | None, *, driven: bool) -> Group:
        contents = self._contents(record.place, found, group)
        size = _size(record, contents, group)
        if found is None:
            record.release(DRAINING_HOOK)
            nobodys = CapacityProvider("", size, scaling=None)
            return capacity_provider.step(nobodys, Cluster(), group, self._around.now())[2]
        known = self._known.at(record.place.account, record.place.region)
        provider = _as_before(known.get(found.name), of_settings(found.name, size, found.settings))
        (record.hold if provider.draining else record.release)(DRAINING_HOOK)
        taking = provider if driven else replace(provider, scaling=None, termination_protection=False)
        taken, cluster, group = capacity_provider.step(taking, contents.cluster, group, self._around.now())
        known[found.name] = replace(provider, readings=taken.readings, read_at=taken.read_at)
        for instance in cluster.instances.values():
            if contents.cluster.instances[instance.id] is not instance:
                contents.put_instance(instance)
        return group

    def _contents(self, place: Place, found: Provider | None, group: Group) -> Contents:
        """The cluster that has the group's instances; before there are any, the one that has the provider."""
        clusters: Mapping[str, Contents] = self._states.at(place.account, place.region).clusters
        for contents in clusters.values():
            if any(each.ec2_instance_id in group.instances for each in contents.cluster.instances.values()):
                return contents
        named = [clusters[each] for each in (found.clusters if found else ()) if each in clusters]
        return named[0] if named else Contents()


def _as_before(known: CapacityProvider | None, provider: CapacityProvider) -> CapacityProvider:
    """With the readings so far, unless somebody has changed the scaling, whose alarms are others then."""
    if known is None or known.scaling != provider.scaling:
        return provider
    return replace(provider, readings=known.readings, read_at=known.read_at)


def _size(record: Record, contents: Contents, group: Group) -> Remaining:
    """What a fresh instance has for tasks: what another one has registered, or else what follows from its type."""
    for instance in contents.cluster.instances.values():
        if instance.ec2_instance_id in group.instances:
            return Remaining(instance.cpu, instance.memory, instance.ports)
    cpu, memory = resources(record.instance_type) or (0, 0)
    return Remaining(cpu, memory, AGENT_PORTS)
