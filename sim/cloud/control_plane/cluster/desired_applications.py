"""The desired state of Application Load Balancers, made of what the control plane keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from sim.cloud.control_plane.cluster import application_backends
from sim.cloud.control_plane.cluster.application_backends import ApplicationBalancer, ApplicationListener, Group
from sim.cloud.control_plane.elbv2.models import BALANCER_ATTRIBUTES, GROUP_ATTRIBUTES, TargetGroup
from sim.cloud.control_plane.elbv2.rules import action_of, conditions_of
from sim.cluster.balancer.desync import Mode
from sim.cluster.balancer.listener_rules import ListenerRule
from sim.cluster.balancer.stickiness import ALB_APPLICATION_COOKIE, ALB_COOKIE, Stickiness
from sim.cluster.balancer.target_group import Algorithm, GroupSettings
from sim.cluster.cadence import LOCAL
from sim.cluster.desired import (
    CheckTarget,
    DesiredApplicationBalancer,
    DesiredApplicationListener,
    DesiredTarget,
    DesiredTargetGroup,
)

_Protocol = Literal["HTTP", "HTTPS"]
_LEAST = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"


def desired_application(found: ApplicationBalancer, known: Mapping[str, TargetGroup]) -> DesiredApplicationBalancer:
    """An ALB, with those of its target groups that the edge can serve. `known` has their targets, by their ARNs."""
    attributes = {**BALANCER_ATTRIBUTES, **found.attributes}
    groups = (application_backends.target_group(found.place, arn) for arn in sorted(found.groups()))
    return DesiredApplicationBalancer(
        found.name,
        found.arn,
        found.place,
        found.dns_name,
        found.zones,
        tuple(_listener(each) for each in found.listeners),
        tuple(
            _group(each, found.zones, known.get(each.arn, TargetGroup()))
            for each in groups
            if each is not None and each.target_type == "instance"
        ),
        float(attributes["idle_timeout.timeout_seconds"]),
        cast("Mode", attributes["routing.http.desync_mitigation_mode"]),
    )


def _listener(found: ApplicationListener) -> DesiredApplicationListener:
    rules = (
        ListenerRule(priority, conditions_of(conditions), action_of(actions))
        for priority, conditions, actions in found.rules
    )
    return DesiredApplicationListener(
        cast("_Protocol", found.protocol), found.port, tuple(rules), action_of(found.default), found.certificate
    )


def _group(found: Group, zones: tuple[str, ...], known: TargetGroup) -> DesiredTargetGroup:
    attributes = {**GROUP_ATTRIBUTES, **found.attributes}
    check_port = 0 if found.check_port == "traffic-port" else int(found.check_port)
    return DesiredTargetGroup(
        found.arn,
        GroupSettings(
            zones,
            found.check,
            found.matcher,
            float(attributes["deregistration_delay.timeout_seconds"]),
            attributes["load_balancing.cross_zone.enabled"] != "false",
            cast("Algorithm", attributes["load_balancing.algorithm.type"]),
            float(attributes["slow_start.duration_seconds"]),
            int(attributes[_LEAST]) if attributes[_LEAST] != "off" else 1,
            _stickiness(attributes),
            LOCAL.delays,
        ),
        cast("_Protocol", found.protocol),
        CheckTarget(cast("_Protocol", found.check_protocol), check_port, found.check_path),
        tuple(
            DesiredTarget(instance, known.registrations[id_], known.in_service(id_), int(port))
            for id_ in known.registrations
            for instance, _, port in [id_.rpartition(":")]
        ),
    )


def _stickiness(attributes: Mapping[str, str]) -> Stickiness | None:
    if attributes["stickiness.enabled"] != "true":
        return None
    kind = attributes["stickiness.type"]
    seconds = float(attributes[f"stickiness.{kind}.duration_seconds"])
    if kind == "app_cookie":
        return Stickiness(seconds, attributes["stickiness.app_cookie.cookie_name"], ALB_APPLICATION_COOKIE)
    return Stickiness(seconds, cookie=ALB_COOKIE)
