"""The loss of a NAT gateway: what the tasks behind it reach through it, they do not reach any more."""

from __future__ import annotations

from collections.abc import Iterator

from sim.targets.cluster_acts import Acts
from sim.targets.target import CALLS, SERVICES


def lose(acts: Acts, name: str | None = None) -> list[str]:
    """Loses a NAT gateway, by default the only one. Returns what does not reach what: `api: sqs (1 of 2 tasks)`.

    Raises NotInCluster if there is no such gateway. `restore` of the acts ends it.
    """
    return list(_cut_off(acts, acts.lose_nat_gateway(name)))


def _cut_off(acts: Acts, reached: dict[str, frozenset[str]]) -> Iterator[str]:
    for service in SERVICES:
        tasks = acts.service(service).tasks()
        instances = [acts.instance_of(each) for each in tasks]
        for aws in CALLS[service]:
            cut = sum(each in reached and aws not in reached[each] for each in instances)
            if cut:
                yield f"{service}: {aws}" + (f" ({cut} of {len(tasks)} tasks)" if cut < len(tasks) else "")
