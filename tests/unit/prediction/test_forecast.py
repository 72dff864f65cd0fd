"""What a deployment costs, by the settings it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sim.cluster.cadence import AWS, LOCAL
from sim.prediction.answers import Answers
from sim.prediction.forecast import CannotBegin, Forecast, forecast
from sim.prediction.project import Project, scenario
from sim.prediction.scenario import USUAL, Application, Scenario, Seconds
from sim.prediction.settings_beside import Line, Variant, advice, contradictions, recommended, variants
from sim.prediction.terraform_json import read
from tests.unit.prediction import made

SKETCHED = Application(Seconds(0.5, 3.0), Seconds(0.0, 1.0), Seconds(1.0, 3.0), Seconds(14.0, 16.0))


def of(text: str, **answers: Any) -> Scenario:
    project = Project(tuple(read(Path("state.json"), text)))
    return scenario(project, "app", replace(Answers(application=SKETCHED, cadence=LOCAL), **answers))


def predicted(scenario: Scenario, seeds: int = 12) -> Forecast:
    return forecast(scenario, [Random(seed) for seed in range(seeds)])


def test_a_spare_instance_and_100_150_never_go_below_the_desired_count() -> None:
    found = predicted(of(made.project()))
    assert found.ends
    assert found.lowest == 2
    assert all(each.missing == each.nothing == 0 for each in found.courses)
    assert 40 < (found.mean(lambda course: course.seconds) or 0) < 65


def test_without_a_spare_instance_100_150_never_ends_and_says_so_in_the_words_of_aws() -> None:
    found = predicted(of(made.project(size=2)))
    assert not found.ends
    assert found.courses[0].seconds is None
    assert "is already using a port required by your task" in found.why
    assert len(found.courses) == 3, "the others would not end either"


def beside(memory: int, **of_service: Any) -> Scenario:
    parts = made.service(), made.definition(), made.elb(), made.group(), made.template()
    return of(made.state(*parts, *made.neighbour(memory, **of_service)))


def test_tasks_of_another_service_can_take_the_room_that_a_deployment_needs() -> None:
    assert predicted(beside(1024), 3).ends
    full = predicted(beside(1500), 3)
    assert not full.ends
    assert "unable to place a task" in full.why
    assert predicted(beside(1500, cluster="another", desired_count=0), 3).ends


def test_without_a_spare_instance_0_100_is_an_outage() -> None:
    zero = of(made.project(size=2, deployment_minimum_healthy_percent=0, deployment_maximum_percent=100))
    found = predicted(zero)
    assert found.ends
    assert found.lowest == 0
    assert 18 < (found.mean(lambda course: course.nothing) or 0) < 32


def test_the_pace_of_aws_takes_longer() -> None:
    local = of(made.project())
    found = predicted(of(made.project(), cadence=AWS))
    assert (found.longest() or 0) > 1.5 * (predicted(local).longest() or 0)
    assert found.lowest == 2


def test_a_version_that_never_answers_is_rolled_back_by_the_breaker() -> None:
    broken = replace(SKETCHED, answers=False)
    text = made.project(deployment_circuit_breaker=[{"enable": True, "rollback": True}])
    found = predicted(of(text, application=broken), 3)
    assert all(each.rolled_back for each in found.courses)
    assert found.lowest == 2
    assert "deployment failed: tasks failed to start." in found.why


def test_a_version_that_never_answers_never_ends_without_the_breaker() -> None:
    found = predicted(of(made.project(), application=replace(SKETCHED, answers=False), cadence=AWS), 2)
    assert [each.seconds for each in found.courses] == [None, None]
    assert found.lowest == 2


def test_behind_an_alb_with_dynamic_ports_a_task_finds_room_beside_the_old_one() -> None:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/app/1"
    block = [{"target_group_arn": arn, "container_name": "app", "container_port": 8080}]
    container = {**made.CONTAINER, "portMappings": [{"containerPort": 8080, "hostPort": 0}]}
    check = [{"interval": 10, "timeout": 5, "healthy_threshold": 2, "unhealthy_threshold": 2}]
    text = made.state(
        made.service(load_balancer=block, deployment_maximum_percent=200),
        made.definition(containers=[container]),
        made.resource("aws_lb_target_group.app", arn=arn, deregistration_delay="20", health_check=check),
        made.group(size=1),
        made.template(),
    )
    found = predicted(of(text))
    assert found.ends
    assert found.lowest == 2


def test_a_service_without_a_balancer_waits_forty_seconds_for_each_task() -> None:
    container = {**made.CONTAINER, "portMappings": []}
    text = made.state(
        made.service(load_balancer=[], deployment_maximum_percent=200),
        made.definition(containers=[container]),
        made.group(),
        made.template(),
    )
    found = predicted(of(text))
    assert found.ends
    assert all(40 <= (each.seconds or 0) <= 75 for each in found.courses)


def test_a_daemon_is_replaced_in_place() -> None:
    text = made.project(
        scheduling_strategy="DAEMON",
        deployment_minimum_healthy_percent=50,
        deployment_maximum_percent=100,
        desired_count=0,
    )
    found = predicted(of(text))
    assert found.ends
    assert found.lowest == 2
    assert of(text).desired == 3


def test_a_capacity_provider_brings_an_instance_where_the_group_may_grow() -> None:
    def with_provider(largest: int) -> str:
        managed = [{"auto_scaling_group_arn": "arn:asg", "managed_scaling": [{"status": "ENABLED"}]}]
        return made.state(
            made.service(launch_type="", capacity_provider_strategy=[{"capacity_provider": "hosts"}]),
            made.definition(),
            made.elb(),
            made.group(2, max_size=largest),
            made.template(),
            made.resource("aws_ecs_capacity_provider.hosts", name="hosts", auto_scaling_group_provider=managed),
        )

    grown = predicted(of(with_provider(3)), 3)
    assert grown.ends
    assert grown.lowest == 2
    assert all((each.seconds or 0) > 120 for each in grown.courses)
    full = predicted(of(with_provider(2)), 3)
    assert not full.ends
    assert "waits in PROVISIONING" in full.why


def test_tasks_that_do_not_fit_cannot_be_deployed_over() -> None:
    with pytest.raises(CannotBegin, match="2 tasks do not fit"):
        predicted(of(made.project(size=1)))


def test_a_slow_application_without_grace_is_killed_again_and_again() -> None:
    slow = replace(SKETCHED, start=Seconds(80.0, 90.0))
    killed = predicted(of(made.project(health_check_grace_period_seconds=0), application=slow, cadence=AWS), 1)
    assert not killed.ends
    assert predicted(of(made.project(health_check_grace_period_seconds=150), application=slow, cadence=AWS), 2).ends


def test_the_same_chance_gives_the_same_deployment() -> None:
    assert predicted(of(made.project()), 3) == predicted(of(made.project()), 3)


def lines(text: str) -> list[Line]:
    found = []
    for variant in variants(of(text)):
        try:
            found.append(Line(variant, predicted(variant.scenario, 4)))
        except CannotBegin as error:
            found.append(Line(variant, None, str(error)))
    return found


def test_settings_beside_make_a_difference_and_are_eight_at_most() -> None:
    tried = variants(of(made.project()))
    assert 3 <= len(tried) <= 8
    assert tried[0].label == ""
    assert tried[0].percents == "100/150"
    assert len({(each.percents, len(each.scenario.instances)) for each in tried}) == len(tried)


def test_good_settings_are_kept() -> None:
    assert advice(lines(made.project())) == "Keep 100/150: no other setting here costs clients less."


def test_settings_that_never_end_are_replaced_by_those_that_cost_least() -> None:
    tried = lines(made.project(size=2))
    best = recommended(tried)
    assert best
    assert len(best.variant.scenario.instances) == 3
    assert advice(tried) == "Take minimum 100, maximum 150 percent with one instance more."


def test_an_advice_that_there_is_none() -> None:
    tried = [Line(Variant("", of(made.project())), None, "does not fit")]
    assert advice(tried).startswith("None of these settings")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deployment_maximum_percent": 100}, "nothing may start and nothing may stop"),
        ({"scheduling_strategy": "DAEMON", "deployment_maximum_percent": 200}, "keeps a maximum of 100 percent"),
    ],
)
def test_settings_that_contradict_each_other_are_named(changes: Mapping[str, Any], words: str) -> None:
    assert any(words in each for each in contradictions(of(made.project(**changes))))


def test_a_grace_period_for_nothing_is_named() -> None:
    text = made.state(made.service(load_balancer=[]), made.definition(), made.group(), made.template())
    assert any("grace period" in each for each in contradictions(of(text)))
    assert contradictions(of(made.project())) == []
    assert USUAL.answers


def test_a_capacity_provider_alarms_and_a_container_check_together_go_without_a_gap() -> None:
    managed = [{"auto_scaling_group_arn": "arn:asg", "managed_scaling": [{"status": "ENABLED"}]}]
    metrics = [{"metric": []}, {"metric": [{"period": 60}]}]
    check = {"command": ["true"], "interval": 5, "timeout": 3, "retries": 3, "startPeriod": 30}
    text = made.state(
        made.service(
            capacity_provider_strategy=[{"capacity_provider": "hosts"}],
            deployment_circuit_breaker=[{"enable": True, "rollback": True}],
            alarms=[{"enable": True, "rollback": True, "alarm_names": ["errors"]}],
        ),
        made.definition(containers=[{**made.CONTAINER, "healthCheck": check}]),
        made.elb(),
        made.group(3, max_size=5),
        made.template(),
        made.resource("aws_ecs_capacity_provider.hosts", name="hosts", auto_scaling_group_provider=managed),
        made.resource(
            "aws_cloudwatch_metric_alarm.errors", alarm_name="errors", evaluation_periods=2, metric_query=metrics
        ),
    )
    found = predicted(of(text, cadence=AWS), 4)
    assert found.ends
    assert found.lowest == 2
    assert all(each.missing == 0 and (each.seconds or 0) > 120 for each in found.courses), "the alarms bake"
