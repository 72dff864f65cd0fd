"""Files of scenarios: those of the kit are whole, and a bad one is refused with the field and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.rehearsal.scenario import BadScenario, Ending, read
from sim.rehearsal.shipped import NAMES, scenario_of, text_of


@pytest.mark.parametrize("name", NAMES)
def test_each_scenario_of_the_kit_can_be_copied_and_is_the_same(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "my-own.toml"
    copy.write_text(text_of(name))
    assert scenario_of(str(copy)) == ("my-own", scenario_of(name)[1])


def test_the_scenarios_differ_in_what_they_rehearse() -> None:
    assert len({scenario_of(name)[1].about for name in NAMES}) == len(NAMES) == 10


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadScenario, match=r"there is no scenario goood: name a file, or one of good, never-healthy"):
        scenario_of("goood")


def test_what_is_left_out_expects_that_the_version_is_deployed() -> None:
    scenario = read("mine.toml", 'about = "Mine."')
    assert scenario.expect.ends == (Ending.DEPLOYED,)
    assert scenario.expect.percents_hold


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("about = ", "mine.toml is no TOML"),
        ("", "about: Field required"),
        ('about = "x"\nabuot = "y"', "abuot: Extra inputs are not permitted"),
        ('about = "x"\n[[meanwhile]]\ndo = "lose-instance"', "meanwhile.0: say one of before, at_seconds"),
        ('about = "x"\n[[meanwhile]]\ndo = "scale"\nat_seconds = 1', "meanwhile.0: scale, and only scale"),
        (
            'about = "x"\n[[meanwhile]]\ndo = "take-port"\nbefore = true\nfor_seconds = 1',
            "take-port has no for_seconds",
        ),
        ('about = "x"\n[[meanwhile]]\ndo = "lose-zone"\nbefore = true', "before the deployment nothing is lost"),
        ('about = "x"\n[new_tasks]\nresume_after = 1', "new_tasks: resume_after comes after pause_after"),
        ('about = "x"\n[expect]\nends = ["fine"]', "expect.ends.0: Input should be 'deployed'"),
    ],
)
def test_a_bad_file_is_refused_with_the_field_and_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadScenario) as refused:
        read("mine.toml", text)
    assert why in str(refused.value)
