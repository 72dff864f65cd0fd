"""The target groups of services in a step: what is observed of their targets, and who is registered with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from sim.cloud.control_plane.cluster import application_backends
from sim.cloud.control_plane.ecs.state import Contents
from sim.cloud.control_plane.elbv2.models import TargetGroup
from sim.cloud.control_plane.elbv2.provider import TargetGroups, delay_of
from sim.cluster.actions import Deregister, Register, target_of
from sim.cluster.desired import Place
from sim.cluster.target_health import TargetHealth


class TargetGroupSteps:
    """Reads and changes what the plugin keeps of target groups. `here` is the time by which targets drain."""

    def __init__(self, groups: TargetGroups, here: Callable[[], float]) -> None:
        self._groups = groups
        self._here = here

    def take_out(self, place: Place, instances: Collection[str]) -> None:
        """These EC2 instances are gone, so they are no targets any more.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html
        """
        known = self._groups.at(place.account, place.region) if instances else {}
        for arn, group in known.items():
            self._deregister(place, arn, group, group.of_instances(instances))

    def observed(
        self, place: Place, contents: Contents, names: Collection[str]
    ) -> tuple[dict[str, Mapping[str, TargetHealth]], set[tuple[str, str]]]:
        """The health of the targets of these groups, and which of the tasks' targets have drained."""
        if not names:
            return {}, set()
        used, known = application_backends.used_groups(place), self._groups.at(place.account, place.region)
        targets: dict[str, Mapping[str, TargetHealth]] = {
            name: known[name].scheduled(self._here(), used=name in used) for name in names
        }
        wanted = set(_targets_of(contents)) if contents.cluster.tasks else set()
        return targets, {(name, target) for name, target in wanted if target not in targets.get(name, {})}

    def carry_out(self, place: Place, action: Register | Deregister) -> None:
        """Registers a task's target, or lets it go."""
        arn, target = action.balancer.name, action.target.id
        group = self._groups.at(place.account, place.region)[arn]
        if isinstance(action, Register):
            group.register([target])
        else:
            self._deregister(place, arn, group, [target])

    def attach(self, place: Place, arn: str, instance: str) -> None:
        """An instance becomes a target at the port of the group, if the group is there."""
        if found := application_backends.target_group(place, arn):
            self._groups.at(place.account, place.region)[arn].add([f"{instance}:{found.port}"])

    def detach(self, place: Place, arn: str, instance: str) -> None:
        """An instance is a target no more, at none of its ports."""
        group = self._groups.at(place.account, place.region).get(arn)
        if group is not None:
            self._deregister(place, arn, group, group.of_instances({instance}))

    def _deregister(self, place: Place, arn: str, group: TargetGroup, targets: Collection[str]) -> None:
        found = application_backends.target_group(place, arn) if targets else None
        if found is not None:
            group.deregister(targets, self._here(), delay_of(found))


def _targets_of(contents: Contents) -> Iterator[tuple[str, str]]:
    """The target group and the target of each task that has not ended, or whose end has not been dealt with."""
    instances = contents.cluster.instances
    for service in contents.cluster.services.values():
        revisions = {each.id: each.revision for each in (*service.deployments, *service.ended)}
        for task in contents.tasks_of(service):
            revision = revisions.get(task.deployment, service.primary.revision)
            for balancer in () if task.closed else revision.load_balancers:
                if balancer.kind == "target-group":
                    yield balancer.name, target_of(task, balancer, instances).id
