"""Composite alarms: their rules, and when they are evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.cluster.cloudwatch import alarm_rules, composite_alarms
from sim.cluster.cloudwatch.alarm_rules import InvalidRule, Rule, children, holds, parse
from sim.cluster.cloudwatch.alarms import State
from sim.cluster.cloudwatch.composite_alarms import Child, CompositeAlarm, in_circle, step
from tests.unit.cluster.proves import proves

NOW = 1658505465.394
ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
STATES: tuple[State, ...] = ("ALARM", "OK", "INSUFFICIENT_DATA")


def others(**states: State) -> dict[str, Child]:
    return {name: Child(ARN + name, state) for name, state in states.items()}


def written(rule: Rule) -> str:
    """A rule with all its parentheses, as a person writes it."""
    if rule.kind == "state":
        return f'{rule.state}("{rule.alarm}")'
    if rule.kind == "NOT":
        return f"NOT ({written(rule.parts[0])})"
    return f" {rule.kind} ".join(f"({written(each)})" for each in rule.parts) or rule.kind


def truth(rule: Rule, states: Mapping[str, State]) -> bool:
    """What Python makes of the same rule."""
    names = {f'{state}("{alarm}")': str(held == state) for alarm, held in states.items() for state in STATES}
    text = written(rule)
    for name, value in names.items():
        text = text.replace(name, value)
    for word in ("AND", "OR", "NOT"):
        text = text.replace(f"{word} ", f"{word.lower()} ")
    return bool(eval(text.replace("TRUE", "True").replace("FALSE", "False")))


LEAVES = st.one_of(
    st.builds(lambda state, alarm: Rule("state", (), state, alarm), st.sampled_from(STATES), st.sampled_from("abc")),
    st.sampled_from([Rule("TRUE"), Rule("FALSE")]),
)
RULES = st.recursive(
    LEAVES,
    lambda rules: st.one_of(
        rules.map(lambda each: Rule("NOT", (each,))),
        st.builds(
            lambda kind, parts: Rule(kind, tuple(parts)), st.sampled_from(["AND", "OR"]), st.lists(rules, min_size=2)
        ),
    ),
    max_leaves=12,
)


@proves(alarm_rules.holds)
@given(RULES, st.fixed_dictionaries(dict.fromkeys("abc", st.sampled_from(STATES))))
def test_a_rule_is_read_and_holds_as_it_is_written(rule: Rule, states: dict[str, State]) -> None:
    assert parse(written(rule)) == rule
    assert holds(rule, states) == truth(rule, states)


@proves(alarm_rules.tighter)
def test_not_binds_before_and_and_and_before_or() -> None:
    rule = parse("ALARM(a) OR NOT ALARM(b) AND ALARM(c)")
    assert rule == parse("ALARM(a) OR ((NOT ALARM(b)) AND ALARM(c))")


@proves(alarm_rules.named, alarm_rules.constant)
def test_an_alarm_is_named_with_or_without_quotes_or_by_its_arn() -> None:
    assert children(parse(f'ALARM(cpu) OR OK("disk reads (all)") OR ALARM("{ARN}cpu")')) == ("cpu", "disk reads (all)")
    assert holds(parse("true AND NOT False"), {})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("", "The rule ends too soon"),
        ("()", "Unsupported token ')' at char 1, must be: '(', 'NOT', TRUE or FALSE, ALARM, OK, or INSUFFICIENT_DATA"),
        ("ALARM(a) ALARM(b)", "Unsupported token 'ALARM' at char 9, must be: the end"),
        ("ALARM(a b)", "Unsupported token 'b' at char 8, must be: ')'"),
        ("ALARM a", "Unsupported token 'a' at char 6, must be: '('"),
        ("ALARM(a) and ALARM(b)", "Unsupported token 'and' at char 9"),
        ('ALARM("a)', "double quote at char 6 has no end"),
        ("AT_LEAST(2, ALARM, (a, b, c))", "AT_LEAST, which is not supported"),
        ("(" * 60 + "TRUE" + ")" * 60, "nested more than 50 deep"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_refused(rule: str, message: str) -> None:
    with pytest.raises(InvalidRule, match=re.escape(message)):
        parse(rule)


@proves(alarm_rules.too_long)
def test_a_rule_has_a_hundred_alarms_and_five_hundred_elements_at_most() -> None:
    parse(" OR ".join(f"ALARM(a{each})" for each in range(100)))
    with pytest.raises(InvalidRule, match="101 alarms, and 100 are the most"):
        parse(" OR ".join(f"ALARM(a{each})" for each in range(101)))
    parse(" OR ".join(["TRUE"] * 500))
    with pytest.raises(InvalidRule, match="501 elements, and 500 are the most"):
        parse(" OR ".join(["TRUE"] * 498 + ["(TRUE)"]))


@proves(composite_alarms.state_of, composite_alarms.reason_of)
def test_the_first_reason_is_that_it_was_put_and_the_next_the_child_that_changed() -> None:
    alarm, changed = step(CompositeAlarm(ARN + "both", parse("ALARM(a) AND ALARM(b)")), others(a="ALARM", b="OK"), NOW)
    assert changed is not None
    assert changed.reason == f"{ARN}both was created and its alarm rule evaluates to OK"
    assert [each.arn for each in changed.because_of] == [ARN + "a", ARN + "b"]
    alarm, changed = step(alarm, others(a="ALARM", b="ALARM"), NOW)
    assert changed is not None
    assert (changed.state, alarm.state) == ("ALARM", "ALARM")
    assert changed.reason == f"{ARN}b transitioned to ALARM at Friday 22 July, 2022 15:57:45 UTC"
    put_again = replace(alarm, rule=parse("ALARM(a) AND OK(b)"), seen=None)
    _, changed = step(put_again, others(a="ALARM", b="ALARM"), NOW)
    assert changed is not None
    assert changed.reason == f"{ARN}both was updated and its alarm rule evaluates to OK"


@proves(composite_alarms.due)
def test_a_state_that_was_set_by_hand_lasts_until_a_child_changes() -> None:
    alarm, _ = step(CompositeAlarm(ARN + "x", parse("ALARM(a)")), others(a="OK"), NOW)
    by_hand = replace(alarm, state="ALARM")
    assert step(by_hand, others(a="OK", z="ALARM"), NOW) == (by_hand, None)
    alarm, changed = step(by_hand, others(a="INSUFFICIENT_DATA"), NOW)
    assert changed is not None
    assert changed.state == "OK"


@proves(composite_alarms.in_circle)
def test_alarms_that_depend_on_each_other_are_in_a_circle() -> None:
    rules = {"a": parse("ALARM(b)"), "b": parse("OK(c) OR ALARM(m)"), "c": parse("NOT ALARM(a)"), "d": parse("OK(a)")}
    assert [name for name in rules if in_circle(name, rules)] == ["a", "b", "c"]
