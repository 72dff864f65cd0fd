"""The rules of the cluster say where they come from, and the page that lists them follows the code."""

from __future__ import annotations

from checks import fidelity
from sim.cluster.citations import Rule, cites, inferred, rule_of


def test_a_rule_says_the_first_paragraph_of_its_docstring_and_its_page() -> None:
    @cites("https://example.com/page")
    def rounds_up() -> None:
        """The minimum
        rounds up.

        Nobody reads this.
        """

    assert rule_of(rounds_up) == Rule("The minimum rounds up.", page="https://example.com/page")


def test_an_inferred_rule_says_why() -> None:
    @inferred("the events of an account read so")
    def waits() -> None:
        """It waits."""

    assert rule_of(waits) == Rule("It waits.", reason="the events of an account read so")


def test_what_is_no_rule_has_none() -> None:
    assert rule_of(print) is None


def test_the_page_of_the_rules_is_up_to_date() -> None:
    assert fidelity.PAGE.read_text() == fidelity.page(fidelity.modules()), (
        "`python -m checks.fidelity --write` brings docs/fidelity.md up to date"
    )


def test_a_test_proves_every_rule() -> None:
    assert fidelity.unproved(fidelity.modules()) == []
