"""A trial's record for people, for programs and for CI."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from xml.etree import ElementTree as ET

from sim.trial.record import Record, Second


@dataclass(frozen=True, slots=True)
class Result:
    """A trial and its verdict: `broken` has a sentence for each expectation and each limit that it broke.

    `foretold` compares it with what `sim rehearse plan` predicts, where the roots can be read.
    """

    scenario: str
    about: str
    service: str
    record: Record
    broken: tuple[str, ...]
    foretold: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """True if nothing was broken."""
        return not self.broken


SUMMARY = ("scenario", "verdict", "ended", "takes", "requests", "failed", "outage", "slowest", "serving_at_least")
COURSE = ("seconds", "ok", "failed", "p50", "p99", "old", "new", "what_happened")


def summary(result: Result) -> dict[str, str]:
    """The row of a trial in the table of all trials."""
    record = result.record
    slowest = max((each.p99_ms for each in record.seconds if each.p99_ms is not None), default=None)
    return {
        "scenario": result.scenario,
        "verdict": "good" if result.good else "BROKEN",
        "ended": record.ending,
        "takes": f"{record.took_seconds:.0f} s",
        "requests": str(record.requests),
        "failed": str(record.failed),
        "outage": f"{record.outage_seconds} s",
        "slowest": "-" if slowest is None else f"{slowest} ms",
        "serving_at_least": str(record.fewest_serving),
    }


def course(record: Record) -> list[dict[str, str]]:
    """The seconds of a trial as rows; those in which neither the tasks nor the clients' luck changed are one row.

    Of the old and the new version a row has the tasks that serve, of those that run.
    """
    groups = groupby(_with_luck(record.seconds), key=_alike)
    return [_row([second for second, _ in group], record) for _, group in groups]


def _with_luck(seconds: Iterable[Second]) -> Iterator[tuple[Second, bool]]:
    """Each second, and whether a request failed in it. One in which none was sent is like the one before."""
    failed = False
    for each in seconds:
        failed = bool(each.failed) or (failed and not each.ok)
        yield each, failed


def _alike(at: tuple[Second, bool]) -> tuple[bool, bool, int, int, int, int]:
    second, failed = at
    tasks = (second.old_serving, second.old_running, second.new_serving, second.new_running)
    return (second.second < 0, failed, *tasks)


def _row(seconds: Sequence[Second], record: Record) -> dict[str, str]:
    first, last = seconds[0], seconds[-1]
    failed: Counter[str] = Counter()
    for each in seconds:
        failed.update(each.failed or {})
    happened = [each.text for each in record.events if first.second <= each.second <= last.second]
    return {
        "seconds": f"{first.second}..{last.second}",
        "ok": str(sum(each.ok for each in seconds)),
        "failed": ", ".join(f"{count} x {kind}" for kind, count in failed.most_common()) or "0",
        "p50": _worst(each.p50_ms for each in seconds),
        "p99": _worst(each.p99_ms for each in seconds),
        "old": f"{first.old_serving} of {first.old_running}",
        "new": f"{first.new_serving} of {first.new_running}",
        "what_happened": "\n".join(happened),
    }


def _worst(times: Iterator[int | None]) -> str:
    worst = max((each for each in times if each is not None), default=None)
    return "-" if worst is None else f"{worst} ms"


def as_json(result: Result) -> Mapping[str, object]:
    """All of a trial, second by second."""
    record = result.record
    return {
        "scenario": result.scenario,
        "about": result.about,
        "service": result.service,
        "good": result.good,
        "broken": list(result.broken),
        "ended": record.ending,
        "reason": record.reason,
        "took_seconds": round(record.took_seconds, 1),
        "requests": record.requests,
        "failed": dict(record.failures),
        "outage_seconds": record.outage_seconds,
        "serving_at_least": record.fewest_serving,
        "percents_broken": list(record.percents_broken),
        "foretold": list(result.foretold),
        "events": [asdict(each) for each in record.events],
        "seconds": [asdict(each) for each in record.seconds],
    }


def junit(results: Sequence[Result]) -> str:
    """The trials as test cases of JUnit's XML; the message of a failure is what was broken."""
    suite = ET.Element("testsuite", name="sim rehearse deploy", tests=str(len(results)))
    suite.set("failures", str(sum(not each.good for each in results)))
    suite.set("errors", "0")
    suite.set("time", f"{sum(each.record.took_seconds for each in results):.1f}")
    for each in results:
        time = f"{each.record.took_seconds:.1f}"
        case = ET.SubElement(suite, "testcase", classname=each.service, name=each.scenario, time=time)
        if each.broken:
            failure = ET.SubElement(case, "failure", message=_printable("; ".join(each.broken)))
            failure.text = _printable("\n".join(f"{event.second} s: {event.text}" for event in each.record.events))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    """Without the characters that XML does not have. https://www.w3.org/TR/xml/#charsets"""
    return "".join(each if each in "\t\n" or (each >= " " and each not in "\ufffe\uffff") else "?" for each in text)
