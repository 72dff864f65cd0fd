"""Makes a picture of what was observed, beside the picture and the observation before. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sim.faults.plan import Rule
from sim.watch import cluster, groups
from sim.watch.moments import since
from sim.watch.observed import API, Observation, SeenCluster, SeenPart, SeenPipeline
from sim.watch.picture import (
    BucketNow,
    Entry,
    FaultNow,
    GroupNow,
    Health,
    InstanceNow,
    PartNow,
    Picture,
    QueueNow,
    ServiceNow,
    TaskNow,
)

HERE: Final = "this machine"
"""Stands for the instance where services run without a cluster."""
_SMOOTH: Final = 0.5
"""The weight of the newest second in a rate; the others have the rest."""
_CLASSES: Final = ("2xx", "3xx", "4xx", "5xx", "none")
_OK: Final = "2"
_OLD_SECONDS: Final = 3.0
"""A number that is older is shown with its age."""


@dataclass(frozen=True)
class Drawn:
    """A picture, and what it was drawn from, for the next one."""

    observation: Observation
    picture: Picture
    rates: Mapping[str, float]
    """How much a second, by what is counted."""


def draw(seen: Observation, before: Drawn | None) -> Drawn:
    """The picture of what was seen now."""
    rates = _rates(seen, before)
    old = before.picture if before else None
    services, tasks, instances = _running(seen, rates)
    picture = Picture(
        target=seen.target,
        cluster=cluster.names(seen.cluster) if seen.cluster else "",
        acts=seen.acts,
        entries=_entries(seen, rates),
        groups=_groups(seen.cluster, rates) if seen.cluster else {},
        services=services,
        instances=instances,
        tasks=tasks,
        versions=_versions(tasks, old.versions if old else {}),
        alarms=cluster.alarms(seen.cluster) if seen.cluster else {},
        faults=dict(_faults(seen, instances)),
        parts={name: PartNow(_health(part), part.detail) for name, part in sorted(seen.parts.items())},
        trouble=seen.trouble,
        ended=seen.ended,
    )
    if seen.pipeline is not None:
        picture = replace(
            picture,
            queue=_queue(seen.pipeline.queue, seen.at, old.queue if old else None),
            dead_letters=_queue(seen.pipeline.dead_letters, seen.at, old.dead_letters if old else None),
            bucket=_bucket(seen.pipeline, seen.at, _shown(rates.get("objects", 0.0))),
        )
    return Drawn(seen, replace(picture, moments=since(picture, old, seen)), rates)


def _running(
    seen: Observation, rates: Mapping[str, float]
) -> tuple[dict[str, ServiceNow], dict[str, TaskNow], dict[str, InstanceNow]]:
    """Services, tasks and instances: those of ECS, or the parts of the stack that are services."""
    if seen.cluster is not None:
        tasks = cluster.tasks(seen.cluster)
        services = {
            name: cluster.service(name, seen.cluster, tasks, *_calls(name, rates)) for name in seen.cluster.services
        }
        return services, tasks, cluster.instances(seen.cluster)
    tasks = {
        name: TaskNow(of.service, HERE, of.version, _health(seen.parts[name]), seen.parts[name].detail)
        for name, of in seen.tasks.items()
    }
    services = {name: _service(name, tasks, rates) for name in sorted({each.service for each in tasks.values()})}
    here = InstanceNow("", Health.GOOD, "", {}, "", lost=False, draining=False)
    return services, tasks, {HERE: here}


def _service(name: str, tasks: Mapping[str, TaskNow], rates: Mapping[str, float]) -> ServiceNow:
    """A service without a cluster: it is to have the tasks that there are."""
    mine = [each for each in tasks.values() if each.service == name]
    running = [each for each in mine if each.health is not Health.ENDED]
    healthy = [each for each in mine if each.health is Health.GOOD]
    versions = dict(sorted(Counter(each.version for each in mine).items()))
    return ServiceNow(len(mine), len(running), 0, len(healthy), ", ".join(versions), versions, "", *_calls(name, rates))


def _entries(seen: Observation, rates: Mapping[str, float]) -> dict[str, Entry]:
    if seen.cluster is None:
        good = [seen.parts[name].good for name, of in seen.tasks.items() if of.service == "api"]
        return {API: Entry(API, "no load balancer", seen.urls.get(API, {}), _answers(API, rates), sum(good), len(good))}
    found = {}
    for name, states in sorted(seen.cluster.health.items()):
        serves = [each["State"] == cluster.IN_SERVICE for each in states]
        urls = seen.urls.get(name, {})
        found[name] = Entry(name, "Classic ELB", urls, _answers(name, rates), sum(serves), len(serves))
    for application in seen.cluster.applications:
        name, arn = application.described["LoadBalancerName"], application.described["LoadBalancerArn"]
        serves = groups.targets_of(application, seen.cluster.groups)
        urls, own = seen.urls.get(name, {}), groups.own_answers(application)
        kind = "Application Load Balancer"
        found[f"app/{name}"] = Entry(name, kind, urls, _answers(arn, rates), sum(serves), len(serves), own)
    return found


def _groups(seen: SeenCluster, rates: Mapping[str, float]) -> dict[str, GroupNow]:
    found = {}
    for each in seen.groups:
        good = groups.health(each)
        found[each.described["TargetGroupName"]] = GroupNow(
            groups.led_to(each, seen.applications),
            _answers(each.described["TargetGroupArn"], rates),
            sum(good),
            len(good),
            groups.states(each),
        )
    return found


def _answers(name: str, rates: Mapping[str, float]) -> dict[str, float]:
    """Requests a second by the class of their status, of what is counted under this name."""
    return {each: _shown(rates.get(f"answered {each} {name}", 0.0)) for each in _CLASSES}


def _queue(attributes: Mapping[str, str], at: float, before: QueueNow | None) -> QueueNow:
    visible = int(attributes.get("ApproximateNumberOfMessages", 0))
    in_flight = int(attributes.get("ApproximateNumberOfMessagesNotVisible", 0))
    since_then = before.busy_since if before and before.busy_since else at
    busy_since = since_then if visible or in_flight else 0.0
    return QueueNow(attributes.get("QueueArn", "").rpartition(":")[2], visible, in_flight, busy_since)


def _bucket(seen: SeenPipeline, at: float, rate: float) -> BucketNow:
    return BucketNow(seen.bucket, seen.objects, rate, seen.counted if at - seen.counted > _OLD_SECONDS else 0.0)


def _versions(tasks: Mapping[str, TaskNow], before: Mapping[str, int]) -> dict[str, int]:
    new = sorted({each.version for each in tasks.values()} - before.keys())
    first = max(before.values(), default=-1) + 1
    return {**before, **{version: number for number, version in enumerate(new, first)}}


def rule_name(rule: Rule) -> str:
    """What a fault of calls is called in the picture: its kind, and which calls it hits."""
    return f"{rule.fault} {_hit(rule)}"


def _hit(rule: Rule) -> str:
    return " ".join(filter(None, (rule.caller or "all services", rule.service or "", rule.operation or "")))


def _faults(seen: Observation, instances: Mapping[str, InstanceNow]) -> Iterator[tuple[str, FaultNow]]:
    for rule in seen.plan.rules:
        if rule.scheduled:
            continue
        how = [f"{rule.probability:.0%} of the calls of {_hit(rule)}"]
        how += [f"{rule.seconds:g} s"] if rule.seconds is not None else []
        how += [f"{rule.rate:g} kB/s"] if rule.rate is not None else []
        yield rule_name(rule), FaultNow(str(rule.fault), ", ".join(how), {"act": "end-fault", "rule": rule_name(rule)})
    for port in seen.cut:
        caller, _, aws = port.partition("-")
        yield port, FaultNow("partition", f"the {caller} does not reach {aws.upper()}", {"act": "mend", "port": port})
    for name, each in instances.items():
        if each.lost:
            yield name, FaultNow("instance lost", f"{name} is cut off", {"act": "bring-back", "instance": name})


def _calls(service: str, rates: Mapping[str, float]) -> tuple[dict[str, float], float]:
    of = f"calls {service} "
    mine = {key.removeprefix(of): _shown(rate) for key, rate in rates.items() if key.startswith(of)}
    return mine, _shown(rates.get(f"failing {service}", 0.0))


def _counts(seen: Observation) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name, answered in seen.answered.items():
        for status, number in answered.items():
            counts[f"answered {f'{status[0]}xx' if status[:1] in set('12345') else 'none'} {name}"] += number
    for (caller, operation, outcome), number in seen.calls.items():
        counts[f"calls {caller} {operation}"] += number
        if not outcome.startswith(_OK):
            counts[f"failing {caller}"] += number
    counts["objects"] = seen.pipeline.objects if seen.pipeline else 0
    return counts


def _rates(seen: Observation, before: Drawn | None) -> dict[str, float]:
    """How fast each count grows a second, smoothed."""
    if before is None or seen.at <= before.observation.at:
        return dict(before.rates) if before else {}
    old, now = _counts(before.observation), _counts(seen)
    seconds = seen.at - before.observation.at
    fresh = {name: max(number - old[name], 0) / seconds for name, number in now.items()}
    return {name: _SMOOTH * rate + (1 - _SMOOTH) * before.rates.get(name, 0.0) for name, rate in fresh.items()}


def _shown(rate: float) -> float:
    """Rounded, so that a picture changes only if something has."""
    return round(rate, 1)


def _health(part: SeenPart) -> Health:
    return Health.GOOD if part.good else Health.STARTING if part.runs else Health.ENDED
