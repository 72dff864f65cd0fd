"""The settings that are rehearsed beside those of the plan, and which of all of them to take."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sim.cluster.deployments import least_healthy, most_running
from sim.prediction.forecast import Forecast
from sim.prediction.scenario import Scenario

MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Variant:
    """A scenario under other settings. `label` says what is different, "" for the settings as they are."""

    label: str
    scenario: Scenario

    @property
    def percents(self) -> str:
        """The minimum and the maximum, as `100/150`."""
        configuration = self.scenario.settings.configuration
        return f"{configuration.minimum_healthy_percent}/{configuration.maximum_percent}"


@dataclass(frozen=True, slots=True)
class Line:
    """What a variant comes to. `forecast` is None where the service does not fit on its instances."""

    variant: Variant
    forecast: Forecast | None
    why: str = ""

    @property
    def ends(self) -> bool:
        """Whether each deployment ends with the new version."""
        return self.forecast is not None and self.forecast.ends


def variants(scenario: Scenario) -> list[Variant]:
    """The settings as they are first, then others that make a difference to the scheduler, eight at most."""
    found = [Variant("", scenario)]
    seen = {_bounds(scenario)}
    for variant in _others(scenario):
        if (bounds := _bounds(variant.scenario)) not in seen and len(found) < MOST:
            seen.add(bounds)
            found.append(variant)
    return found


def _others(scenario: Scenario) -> Iterator[Variant]:
    if scenario.settings.scheduling == "DAEMON":
        yield from (Variant("percents", scenario.with_percents(least, 100)) for least in (0, 50, 90))
        return
    one_more = math.ceil(100 * (scenario.desired + 1) / scenario.desired)
    for least, most in ((100, one_more), (100, 200), (50, 100), (50, 200), (0, 100)):
        yield Variant("percents", scenario.with_percents(least, most))
    if scenario.instances:
        last = scenario.instances[-1]
        zones = sorted({each.zone for each in scenario.instances})
        number = len(scenario.instances) + 1
        zone = zones[(number - 1) % len(zones)]
        more = replace(last, id=f"instance-{number}", ec2_instance_id=f"i-{number}", zone=zone)
        with_one = replace(scenario, instances=(*scenario.instances, more))
        yield Variant("one instance more", with_one)
        yield Variant("one instance more, percents", with_one.with_percents(100, one_more))


def _bounds(scenario: Scenario) -> tuple[int, int, int]:
    """What the scheduler makes of the settings: two with the same bounds do the same."""
    configuration = scenario.settings.configuration
    desired = scenario.desired
    return least_healthy(desired, configuration), most_running(desired, configuration), len(scenario.instances)


def recommended(lines: Sequence[Line]) -> Line | None:
    """The settings that cost clients the least: first no outage, then nothing missing, then no more instances, then
    the shortest. None where none of them ends.
    """
    able = [each for each in lines if each.ends]
    return min(able, key=_cost, default=None)


def advice(lines: Sequence[Line]) -> str:
    """One sentence on what to do."""
    best, now = recommended(lines), lines[0]
    if best is None:
        return "None of these settings lets a deployment end; the reasons above say what is in the way."
    if best is now or (now.ends and _cost(now)[:2] == _cost(best)[:2] and _cost(now)[2] <= _cost(best)[2]):
        return f"Keep {now.variant.percents}: no other setting here costs clients less."
    percents = f"minimum {best.variant.percents.replace('/', ', maximum ')} percent"
    more = " with one instance more" if "instance" in best.variant.label else ""
    return f"Take {percents}{more}."


def _cost(line: Line) -> tuple[float, float, int, float]:
    forecast = line.forecast
    if forecast is None:
        return math.inf, math.inf, 0, math.inf
    nothing = max(each.nothing for each in forecast.courses)
    missing = max(each.missing for each in forecast.courses)
    return round(nothing), round(missing), len(line.variant.scenario.instances), forecast.longest() or math.inf


def contradictions(scenario: Scenario) -> list[str]:
    """Settings that cannot be meant together, each as a sentence."""
    configuration, desired = scenario.settings.configuration, scenario.desired
    least, most = least_healthy(desired, configuration), most_running(desired, configuration)
    found = []
    if scenario.settings.scheduling == "DAEMON" and configuration.maximum_percent != 100:  # noqa: PLR2004 - percent
        found.append("A DAEMON service keeps a maximum of 100 percent; the one given means nothing.")
    elif scenario.settings.scheduling == "REPLICA" and least >= desired and most <= desired:
        found.append(
            f"Of {desired} tasks {least} must stay healthy and {most} may run: nothing may start and nothing may stop, "
            "so no deployment can begin."
        )
    if scenario.settings.grace_seconds and not scenario.revision.load_balancers and not scenario.container_check:
        found.append("There is a health check grace period, and neither a load balancer nor a container health check.")
    return found
