"""Classic ELBs: attributes, and the reported health of instances."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import pytest

from sim.cloud.aws_client import REGION
from tests.cloud.conftest import Report
from tests.cloud.shared import Client


@pytest.fixture
def elb(aws: Callable[[str], Client]) -> Client:
    """A client; there is a load balancer `e`."""
    elb = aws("elb")
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}
    elb.create_load_balancer(LoadBalancerName="e", Listeners=[listener], AvailabilityZones=[f"{REGION}a"])
    return elb


def health(elb: Client, *instances: str) -> dict[str, tuple[str, str, str]]:
    """State, reason and description by instance."""
    asked = [{"InstanceId": each} for each in instances]
    return {
        each["InstanceId"]: (each["State"], each["ReasonCode"], each["Description"])
        for each in elb.describe_instance_health(LoadBalancerName="e", Instances=asked)["InstanceStates"]
    }


def register(elb: Client, *instances: str) -> list[str]:
    """The instances that the load balancer has then."""
    asked = [{"InstanceId": each} for each in instances]
    answer = elb.register_instances_with_load_balancer(LoadBalancerName="e", Instances=asked)
    return [each["InstanceId"] for each in answer["Instances"]]


def deregister(elb: Client, *instances: str) -> list[str]:
    """The instances that the load balancer has then."""
    asked = [{"InstanceId": each} for each in instances]
    answer = elb.deregister_instances_from_load_balancer(LoadBalancerName="e", Instances=asked)
    return [each["InstanceId"] for each in answer["Instances"]]


def test_attributes_that_are_set_are_kept(elb: Client) -> None:
    asked = {
        "CrossZoneLoadBalancing": {"Enabled": True},
        "AccessLog": {"Enabled": True, "S3BucketName": "logs", "EmitInterval": 5, "S3BucketPrefix": "e"},
        "ConnectionDraining": {"Enabled": True, "Timeout": 30},
        "ConnectionSettings": {"IdleTimeout": 30},
        "AdditionalAttributes": [{"Key": "elb.http.desyncmitigationmode", "Value": "strictest"}],
    }
    elb.modify_load_balancer_attributes(LoadBalancerName="e", LoadBalancerAttributes=asked)
    assert elb.describe_load_balancer_attributes(LoadBalancerName="e")["LoadBalancerAttributes"] == asked


def test_attributes_that_are_not_set_have_awss_defaults(elb: Client) -> None:
    elb.modify_load_balancer_attributes(
        LoadBalancerName="e", LoadBalancerAttributes={"ConnectionDraining": {"Enabled": True}}
    )
    attributes = elb.describe_load_balancer_attributes(LoadBalancerName="e")["LoadBalancerAttributes"]
    assert attributes["ConnectionDraining"] == {"Enabled": True, "Timeout": 300}
    assert attributes["ConnectionSettings"] == {"IdleTimeout": 60}
    assert attributes["AdditionalAttributes"][0]["Value"] == "defensive"


def test_the_dns_name_is_in_the_callers_region(elb: Client) -> None:
    described = elb.describe_load_balancers(LoadBalancerNames=["e"])["LoadBalancerDescriptions"][0]
    assert described["DNSName"].endswith(f".{REGION}.elb.amazonaws.com")


def test_an_instance_without_a_reported_health_is_out_of_service(elb: Client) -> None:
    assert register(elb, "i-1", "i-2") == ["i-1", "i-2"]
    waiting = ("OutOfService", "ELB", "Instance registration is still in progress.")
    assert health(elb) == {"i-1": waiting, "i-2": waiting}


def test_a_reported_health_is_returned(elb: Client, report: Report) -> None:
    register(elb, "i-1", "i-2")
    reason = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
    report("i-1", State="InService")
    report("i-2", State="OutOfService", ReasonCode="Instance", Description=reason)
    assert health(elb) == {"i-1": ("InService", "N/A", "N/A"), "i-2": ("OutOfService", "Instance", reason)}
    elb.get_waiter("any_instance_in_service").wait(LoadBalancerName="e")


def test_an_instance_in_service_drains_until_it_is_reported_as_drained(elb: Client, report: Report) -> None:
    elb.modify_load_balancer_attributes(
        LoadBalancerName="e", LoadBalancerAttributes={"ConnectionDraining": {"Enabled": True, "Timeout": 300}}
    )
    register(elb, "i-1", "i-2")
    report("i-1", State="InService")
    assert deregister(elb, "i-1", "i-2") == []
    report("i-1", State="InService")  # older than the deregistration
    assert health(elb) == {"i-1": ("InService", "N/A", "Instance deregistration currently in progress.")}
    report("i-1", "DELETE")
    assert health(elb) == {}
    assert health(elb, "i-1")["i-1"][0] == "OutOfService"


def test_an_instance_that_returns_starts_without_a_health(elb: Client, report: Report) -> None:
    register(elb, "i-1")
    report("i-1", State="InService")
    register(elb, "i-1")
    assert health(elb)["i-1"][0] == "InService"
    deregister(elb, "i-1")
    register(elb, "i-1")
    assert health(elb)["i-1"][0] == "OutOfService"


def test_an_unknown_health_state_is_refused(elb: Client, report: Report) -> None:
    register(elb, "i-1")
    assert report("i-1", State="Healthy") == HTTPStatus.BAD_REQUEST


def test_a_missing_load_balancer_gives_the_error_that_aws_gives(elb: Client) -> None:
    with pytest.raises(elb.exceptions.AccessPointNotFoundException):
        elb.describe_instance_health(LoadBalancerName="none")


def test_a_load_balancer_has_awss_health_check_and_hosted_zone(elb: Client) -> None:
    [found] = elb.describe_load_balancers(LoadBalancerNames=["e"])["LoadBalancerDescriptions"]
    check = {"Target": "TCP:8080", "Interval": 30, "Timeout": 5, "UnhealthyThreshold": 2, "HealthyThreshold": 10}
    assert found["HealthCheck"] == check
    assert found["CanonicalHostedZoneNameID"].startswith("Z")


def test_the_policies_of_cookies_name_their_attributes(elb: Client) -> None:
    elb.create_app_cookie_stickiness_policy(LoadBalancerName="e", PolicyName="app", CookieName="session")
    elb.create_lb_cookie_stickiness_policy(LoadBalancerName="e", PolicyName="own", CookieExpirationPeriod=60)
    elb.create_lb_cookie_stickiness_policy(LoadBalancerName="e", PolicyName="browser")
    found = elb.describe_load_balancer_policies(LoadBalancerName="e")["PolicyDescriptions"]
    assert {each["PolicyName"]: each["PolicyAttributeDescriptions"] for each in found} == {
        "app": [{"AttributeName": "CookieName", "AttributeValue": "session"}],
        "own": [{"AttributeName": "CookieExpirationPeriod", "AttributeValue": "60"}],
        "browser": [{"AttributeName": "CookieExpirationPeriod", "AttributeValue": "0"}],
    }
