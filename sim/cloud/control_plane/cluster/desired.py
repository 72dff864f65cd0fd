"""The desired state, made of what the control plane keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sim.cloud.control_plane.call import Regional, Values
from sim.cloud.control_plane.cluster.application_backends import ApplicationBalancer
from sim.cloud.control_plane.cluster.backends import Balancer, Listener, Machine
from sim.cloud.control_plane.cluster.desired_applications import desired_application
from sim.cloud.control_plane.cluster.hosts import Hosts
from sim.cloud.control_plane.ecs.state import Contents, States
from sim.cloud.control_plane.elb.models import LoadBalancer
from sim.cloud.control_plane.elb.provider import in_region
from sim.cloud.control_plane.elbv2.provider import TargetGroups
from sim.cluster.aws_clock import AwsClock
from sim.cluster.balancer.classic import Settings
from sim.cluster.balancer.nodes import Policy
from sim.cluster.balancer.stickiness import Stickiness
from sim.cluster.cadence import LOCAL
from sim.cluster.desired import (
    AccessLog,
    Desired,
    DesiredBalancer,
    DesiredInstance,
    DesiredListener,
    DesiredTarget,
    DesiredTask,
    HostPort,
    Place,
)
from sim.cluster.tasks import status_for_agent


@dataclass(frozen=True)
class Snapshot:
    """Everything that the desired state is made of."""

    clock: AwsClock
    machines: Sequence[Machine]
    balancers: Sequence[Balancer]
    states: States
    elbs: Regional[defaultdict[str, LoadBalancer]]
    hosts: Regional[Hosts]
    applications: Sequence[ApplicationBalancer]
    groups: TargetGroups


def desired(snapshot: Snapshot, revision: int) -> Desired:
    """The desired state, with this revision."""
    running = [each for each in snapshot.machines if each.state == "running"]
    return Desired(
        revision,
        instances=tuple(_instance(each, snapshot) for each in running),
        tasks=tuple(_tasks(snapshot.states)),
        balancers=tuple(_balancer(each, snapshot) for each in snapshot.balancers),
        host_ports=tuple(_host_ports(snapshot.hosts)),
        clock=snapshot.clock,
        applications=tuple(
            desired_application(each, snapshot.groups.at(each.place.account, each.place.region))
            for each in snapshot.applications
        ),
    )


def _instance(machine: Machine, snapshot: Snapshot) -> DesiredInstance:
    place = machine.place
    host = snapshot.hosts.at(place.account, place.region).known.get(machine.id)
    return DesiredInstance(
        machine.id,
        place,
        machine.zone,
        machine.address,
        machine.instance_type,
        machine.image_id,
        machine.user_data,
        _container_instance(machine, snapshot.states),
        lost=host is not None and host.lost_since is not None,
        group=machine.group,
    )


def _container_instance(machine: Machine, states: States) -> str:
    """The ARN that the instance was registered with last, "" if it was not."""
    found = [
        (each.registered_at, contents.instances[each.id].arn)
        for contents in states.at(machine.place.account, machine.place.region).clusters.values()
        for each in contents.cluster.instances.values()
        if each.ec2_instance_id == machine.id
    ]
    return max(found)[1] if found else ""


def _tasks(states: States) -> Iterator[DesiredTask]:
    for place, state in states.everywhere():
        for contents in state.clusters.values():
            yield from _tasks_in(place, contents)


def _tasks_in(place: Place, contents: Contents) -> Iterator[DesiredTask]:
    for task in contents.cluster.tasks.values():
        if task.instance is None or task.stopped:
            continue
        of = contents.tasks[task.id]
        yield DesiredTask(
            of.arn,
            place,
            of.cluster_arn,
            of.settings["containerInstanceArn"],
            of.definition.as_json,
            of.settings["overrides"],
            task.group,
            task.deployment or of.started_by,
            task.created_at,
            status_for_agent(task),
        )


def _balancer(found: Balancer, snapshot: Snapshot) -> DesiredBalancer:
    place = found.place
    elb = snapshot.elbs.at(place.account, place.region)[found.name]
    attributes = elb.attributes
    draining, log = attributes["ConnectionDraining"], attributes["AccessLog"]
    policy = Policy(
        found.zones,
        found.check,
        float(draining["Timeout"]) if draining["Enabled"] else None,
        bool(attributes["CrossZoneLoadBalancing"]["Enabled"]),
        LOCAL.delays,
    )
    return DesiredBalancer(
        found.name,
        place,
        in_region(found.dns_name, place.region),
        Settings(policy, float(attributes["ConnectionSettings"]["IdleTimeout"]), elb.desync, _stickiness(found)),
        found.target,
        tuple(_listener(each, elb) for each in found.listeners),
        tuple(_target(each, elb) for each in found.members),
        _access_log(log) if log["Enabled"] else None,
    )


def _target(instance: str, elb: LoadBalancer) -> DesiredTarget:
    return DesiredTarget(instance, elb.registrations.get(instance, 0), elb.health_of(instance).state == "InService")


def _stickiness(found: Balancer) -> Stickiness | None:
    return Stickiness(found.cookie.seconds, found.cookie.application) if found.cookie else None


def _listener(found: Listener, elb: LoadBalancer) -> DesiredListener:
    protocol = elb.instance_protocols.get(found.port, found.protocol)
    return DesiredListener(found.protocol, found.port, protocol, found.instance_port, found.certificate)


def _access_log(values: Values) -> AccessLog:
    return AccessLog(values["S3BucketName"], values.get("S3BucketPrefix") or "", int(values.get("EmitInterval") or 60))


def _host_ports(hosts: Regional[Hosts]) -> Iterator[HostPort]:
    for _, each in hosts.everywhere():
        yield from each.ports()
