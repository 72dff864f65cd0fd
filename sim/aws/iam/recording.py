"""What is kept of the calls that were judged, however many there are: one call of each kind, and how many like it.

Two calls are *alike* if the same policies were judged, if the same statements are about their requests, and if the
decision is the same. No permission that is taken away tells them apart, so one of them shows what becomes of all. A
million objects that one statement allows to store are one call with a count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sim.aws.iam.evaluate import Decision, Policies, about, decide
from sim.aws.iam.policy import Statement
from sim.aws.iam.request import Request
from sim.aws.iam.usage import Judged, RecordedCall


@dataclass(frozen=True)
class Judgement:
    """A request with the policies that had a say in it, the decision, and every statement that is about it."""

    judged: Judged
    decision: Decision
    statements: tuple[Statement, ...]


def judgement(policies: Policies, request: Request) -> Judgement:
    """Judges a request. The arguments can be hashed, so functools.lru_cache may remember judgements."""
    return Judgement(Judged(request, policies), decide(policies, request), about(policies, request))


@dataclass
class Recording:
    """The calls of all roles. Not for several threads at once."""

    _counts: dict[object, int] = field(default_factory=dict)
    _calls: dict[object, RecordedCall] = field(default_factory=dict)

    def note(self, role: str, operation: str, judgements: Sequence[Judgement] | None) -> None:
        """One more call; `judgements` are None if it was not known what the operation needs."""
        like = (role, operation, None if judgements is None else tuple(map(_likeness, judgements)))
        if like not in self._calls:
            judged = None if judgements is None else tuple(each.judged for each in judgements)
            self._calls[like] = RecordedCall(role, operation, judged)
        self._counts[like] = self._counts.get(like, 0) + 1

    @property
    def calls(self) -> Mapping[RecordedCall, int]:
        """The first call of each kind, with how many there were."""
        return {call: self._counts[like] for like, call in self._calls.items()}


def _likeness(each: Judgement) -> object:
    return each.judged.request.action, each.judged.policies, each.decision, each.statements
