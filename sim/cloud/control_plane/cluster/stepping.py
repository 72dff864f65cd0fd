"""One step: what is observed comes in, the cores decide, and their actions are carried out on the records.

Nothing here makes a call. Classic ELBs, EC2 instances and alarms are read and changed where moto and LocalStack keep
them, the targets of ALBs where the plugin keeps them. Tasks need no carrying out: agents find in the desired state what
they are to start and to stop.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Literal

from sim.cloud.control_plane.autoscaling.groups import Groups, GroupSteps
from sim.cloud.control_plane.call import Regional
from sim.cloud.control_plane.cluster import application_backends, backends
from sim.cloud.control_plane.cluster.attachments import Attachments
from sim.cloud.control_plane.cluster.backends import Balancer, Machine
from sim.cloud.control_plane.cluster.desired import Snapshot, desired
from sim.cloud.control_plane.cluster.hosts import Hosts
from sim.cloud.control_plane.cluster.providers import ProviderSteps
from sim.cloud.control_plane.cluster.target_groups import TargetGroupSteps
from sim.cloud.control_plane.ecs.state import Contents, States, Surroundings
from sim.cloud.control_plane.elb.models import LoadBalancer
from sim.cloud.control_plane.elbv2.provider import TargetGroups
from sim.cluster import scheduler
from sim.cluster.actions import Action, Deregister, Register
from sim.cluster.container_instances import ContainerInstance
from sim.cluster.desired import Desired, Place
from sim.cluster.observed import Observed
from sim.cluster.tasks import host_terminated

Machines = Mapping[tuple[Place, str], Machine]
Elbs = Regional[defaultdict[str, LoadBalancer]]


class Steps:
    """Takes steps on everything that ECS, Classic ELB and the agents' reports have made known."""

    def __init__(
        self,
        groups: Groups,
        group_steps: GroupSteps,
        providers: ProviderSteps,
        states: States,
        elbs: Elbs,
        target_groups: TargetGroups,
        hosts: Regional[Hosts],
        around: Surroundings,
        here: Callable[[], float],
    ) -> None:
        """`here` is the time of this machine, by which instances drain."""
        self._groups = groups
        self._group_steps = group_steps
        self._providers = providers
        self._states = states
        self._elbs = elbs
        self._target_groups = target_groups
        self._target_group_steps = TargetGroupSteps(target_groups, here)
        self._attachments = Attachments(groups, self._target_group_steps)
        self._hosts = hosts
        self._around = around
        self._here = here

    def take(self, driven: bool, before: Desired) -> Desired:
        """A step of the groups, the scheduler and the capacity providers; of a group again that one of them changed.

        Where the scheduler is not driven, only what follows from the tasks of its callers.
        """
        self._group_steps.take()
        if driven:
            self._drive()
        else:
            self._follow()
        if self._providers.take(driven=driven):
            self._group_steps.take()
        self._attachments.take()
        if not driven:
            return before
        snapshot = Snapshot(
            self._around.clock,
            list(backends.machines()),
            list(backends.balancers()),
            self._states,
            self._elbs,
            self._hosts,
            list(application_backends.application_balancers()),
            self._target_groups,
        )
        after = desired(snapshot, before.revision)
        return before if after == before else replace(after, revision=before.revision + 1)

    def _follow(self) -> None:
        for _, state in self._states.everywhere():
            for contents in list(state.clusters.values()):
                cluster, _ = scheduler.follow(contents.cluster, self._around.now(), self._around.chance)
                contents.advance(cluster, state.definitions)

    def _drive(self) -> None:
        machines = {(each.place, each.id): each for each in backends.machines()}
        balancers: defaultdict[Place, list[Balancer]] = defaultdict(list)
        for each in backends.balancers():
            balancers[each.place].append(each)
        for place, state in self._states.everywhere():
            alarms = backends.alarms(place)
            for contents in list(state.clusters.values()):
                self._look_at_hosts(place, contents, machines)
                self._take_out(place, contents, machines, balancers[place])
                observed = self._observed(place, contents, balancers[place], alarms)
                now, chance = self._around.now(), self._around.chance
                cluster, actions = scheduler.step(contents.cluster, observed, now, chance)
                contents.advance(cluster, state.definitions)
                self._carry_out(place, actions)

    def _look_at_hosts(self, place: Place, contents: Contents, machines: Machines) -> None:
        """A terminated EC2 instance is no container instance any more; a stopped one has no agent.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterContainerInstance.html
        """
        providers = self._provider_of(place) if contents.cluster.instances else {}
        for instance in list(contents.cluster.instances.values()):
            machine = machines.get((place, instance.ec2_instance_id))
            if machine and machine.state == "terminated":
                self._terminated(place, contents, instance)
                continue
            stopped = machine is not None and machine.state != "running"
            wanted = replace(
                instance,
                agent_connected=instance.agent_connected and not stopped,
                capacity_provider=providers.get(instance.ec2_instance_id, instance.capacity_provider),
            )
            if wanted != instance:
                contents.put_instance(wanted)

    def _provider_of(self, place: Place) -> Mapping[str, str]:
        """The capacity provider of each EC2 instance that is in a provider's Auto Scaling group."""
        groups = self._groups.at(place.account, place.region)
        return {
            instance: provider.name
            for provider in backends.capacity_providers(place)
            if provider.group in groups
            for instance in groups[provider.group].group.instances
        }

    def _terminated(self, place: Place, contents: Contents, instance: ContainerInstance) -> None:
        for task in list(contents.cluster.tasks.values()):
            if task.instance == instance.id and not task.stopped:
                ended = host_terminated(task, instance.ec2_instance_id, self._around.now())
                contents.put_task(ended, contents.tasks[task.id])
        contents.drop_instance(instance)
        self._hosts.at(place.account, place.region).known.pop(instance.ec2_instance_id, None)

    def _take_out(self, place: Place, contents: Contents, machines: Machines, balancers: Iterable[Balancer]) -> None:
        """What is a container instance no more is taken out of the services' load balancers, and drains if it is there.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterContainerInstance.html
        """
        names, now = _balancers_of(contents, "elb"), self._here()
        for balancer in balancers:
            for ec2 in contents.dropped.intersection(balancer.members) if balancer.name in names else ():
                backends.deregister(place, balancer.name, ec2)
                elb, machine = self._elb(place, balancer.name), machines.get((place, ec2))
                elb.deregister([ec2], now)
                if machine is None or machine.state == "terminated":
                    elb.drained(ec2)
        self._target_group_steps.take_out(place, contents.dropped)
        contents.dropped.clear()

    def _observed(
        self, place: Place, contents: Contents, balancers: Iterable[Balancer], alarms: frozenset[str]
    ) -> Observed:
        cluster, now = contents.cluster, self._here()
        ids = {each.ec2_instance_id for each in cluster.instances.values()}
        ids |= {each.instance for each in cluster.tasks.values() if each.instance}
        members = {each.name: each.members for each in balancers}
        targets, drained = self._target_group_steps.observed(place, contents, _balancers_of(contents, "target-group"))
        for name in _balancers_of(contents, "elb"):
            elb = self._elb(place, name)
            targets[name] = elb.health(members.get(name, ()), (), now)
            drained |= {(name, each) for each in ids if each not in targets[name]}
        return Observed(targets, drained, alarms, self._closed_roles(place, cluster))

    def _closed_roles(self, place: Place, cluster: scheduler.Cluster) -> frozenset[str]:
        primaries = (deployment for each in cluster.services.values() for deployment in each.deployments[:1])
        roles = {role for each in primaries for role in each.revision.definition.roles}
        task = f"arn:aws:ecs:{place.region}:{place.account}:task/new"
        return frozenset(each for each in roles if not self._around.assumable(each, task))

    def _carry_out(self, place: Place, actions: Iterable[Action]) -> None:
        members = {each.name: set(each.members) for each in backends.balancers() if each.place == place}
        for action in actions:
            if not isinstance(action, Register | Deregister):
                continue
            if action.balancer.kind == "target-group":
                self._target_group_steps.carry_out(place, action)
                continue
            if action.balancer.name not in members:
                continue
            name, instance = action.balancer.name, action.target.id
            known, elb = members[name], self._elb(place, name)
            if isinstance(action, Register):
                if instance not in known:
                    backends.register(place, name, instance)
                known.add(instance)
                elb.register([instance])
            elif instance in known:
                backends.deregister(place, name, instance)
                known.discard(instance)
                elb.deregister([instance], self._here())

    def _elb(self, place: Place, name: str) -> LoadBalancer:
        return self._elbs.at(place.account, place.region)[name]


def _balancers_of(contents: Contents, kind: Literal["elb", "target-group"]) -> set[str]:
    """The names of the load balancers of a kind that the services have or had."""
    return {
        each.name
        for service in contents.cluster.services.values()
        for deployment in (*service.deployments, *service.ended)
        for each in deployment.revision.load_balancers
        if each.kind == kind
    }
