"""The time line of a picture: what ECS says that happened, and what is other than in the picture before. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sim.cluster.aws_clock import AwsClock
from sim.watch.observed import Observation, SeenCluster
from sim.watch.picture import Health, Kind, Moment, Picture

MOST: Final = 120
"""Moments that are kept, the newest."""
_ALARM: Final = "ALARM"
_TASK: Final = re.compile(r"\(task (\w{8})\w*\)")
"""The first digits of a task's id are enough to find it."""
_BALANCER: Final = re.compile(r"\((?:elb |target-group [^)]*targetgroup/)([^/)]+)(?:/\w+)?\)")
"""The name of a load balancer or of a target group is enough, too."""
_DEPLOYMENT: Final = re.compile(r"\(deployment ecs-svc/\w+\) ")
"""A service has one deployment at a time that anybody wonders about."""


def since(now: Picture, before: Picture | None, seen: Observation) -> dict[str, Moment]:
    """The moments until now, the oldest first."""
    kept = dict(before.moments) if before else {}
    found = {**dict(_events(seen.cluster)), **kept} if seen.cluster else kept
    changes = _changes(before, now, seen.at) if before is not None else ()
    found |= {f"{moment.at} {moment.text}": moment for moment in (*seen.noted, *changes)}
    newest = sorted(found.items(), key=lambda item: (item[1].at, item[0]))[-MOST:]
    return dict(newest)


def _events(cluster: SeenCluster) -> Iterator[tuple[str, Moment]]:
    """The events of all services, without the name of the service, at this machine's time."""
    for name, each in cluster.services.items():
        for event in each["events"]:
            text = str(event["message"]).removeprefix(f"(service {each['serviceName']}) ")
            text = _DEPLOYMENT.sub("", _BALANCER.sub(r"\1", _TASK.sub(r"\1", text)))
            bad = "unhealthy" in text or "unable" in text or "failed" in text
            at = _here(event["createdAt"].timestamp(), cluster.clock)
            yield str(event["id"]), Moment(at, Kind.EVENT, f"{name} {text}", bad)


def _changes(before: Picture, now: Picture, at: float) -> Iterator[Moment]:
    yield from _instances(before, now, at)
    yield from _services(before, now, at)
    yield from _faults(before, now, at)
    for name, alarm in now.alarms.items():
        if name in before.alarms and before.alarms[name].state != alarm.state:
            bad = alarm.state == _ALARM and not alarm.scales
            yield Moment(at, Kind.ALARM, f"alarm {name} is {alarm.state}", bad)
    for name, part in now.parts.items():
        ended = part.health is Health.ENDED
        if name in before.parts and (before.parts[name].health is Health.ENDED) != ended:
            yield Moment(at, Kind.EVENT, f"{name} {'has ended' if ended else 'runs again'}", ended)


def _instances(before: Picture, now: Picture, at: float) -> Iterator[Moment]:
    for name in before.instances.keys() - now.instances.keys():
        yield Moment(at, Kind.EVENT, f"instance {name} is gone", bad=True)
    for name, instance in now.instances.items():
        old = before.instances.get(name)
        if old is None:
            yield Moment(at, Kind.EVENT, f"instance {name} has joined in {instance.zone}")
        elif old.lost != instance.lost:
            yield Moment(at, Kind.FAULT, f"instance {name} is {'cut off' if instance.lost else 'back'}", instance.lost)
        elif old.draining != instance.draining:
            yield Moment(at, Kind.EVENT, f"instance {name} {'drains' if instance.draining else 'takes tasks again'}")


def _services(before: Picture, now: Picture, at: float) -> Iterator[Moment]:
    for name, service in now.services.items():
        old = before.services.get(name)
        if old is None:
            continue
        if old.version != service.version:
            text = f"deployment of {name}: {service.version} is to replace {old.version}"
            yield Moment(at, Kind.DEPLOYMENT, text)
        if old.rollout and not service.rollout:
            yield Moment(at, Kind.DEPLOYMENT, f"all tasks of {name} are {service.version}")
        if old.desired != service.desired:
            yield Moment(at, Kind.EVENT, f"{name} is to have {service.desired} tasks, not {old.desired}")


def _faults(before: Picture, now: Picture, at: float) -> Iterator[Moment]:
    """Those of calls. The loss of an instance is a change of the instance."""
    for new, old, word in ((now.faults, before.faults, "began"), (before.faults, now.faults, "ended")):
        for name in new.keys() - old.keys() - now.instances.keys() - before.instances.keys():
            yield Moment(at, Kind.FAULT, f"{new[name].title} {word}: {new[name].detail}", word == "began")


def _here(aws: float, clock: AwsClock) -> float:
    """This machine's time at a time of AWS."""
    return aws if clock.factor == 1 else clock.began + clock.lasts(aws - clock.began)
