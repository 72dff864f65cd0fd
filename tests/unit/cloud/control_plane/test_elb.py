"""Reports of the load balancer that come late change nothing."""

from __future__ import annotations

import pytest

from sim.cloud.control_plane.call import AwsError, Call, Values
from sim.cloud.control_plane.elb.provider import Elb
from sim.cluster.aws_clock import AwsClock
from sim.cluster.balancer.classic import IN_SERVICE, REGISTERING
from sim.cluster.target_health import TargetHealth

PLACE = {"account": "1", "region": "r", "load_balancer": "e", "instance": "i"}


class Bench:
    """A load balancer `e` with the instance `i`, at a time that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.elb = Elb(lambda: self.now)
        self.balancer = self.elb.known.at("1", "r")["e"]
        self.balancer.modify({"ConnectionDraining": {"Enabled": True, "Timeout": 30}})
        self.balancer.register(["i"])

    def report(self, **more: object) -> None:
        self.elb.report_health("PUT", PLACE, {"State": "InService", **more})

    def health(self) -> TargetHealth:
        return self.balancer.health(["i"], (), self.now)["i"]


def test_a_report_counts_for_its_registration_alone() -> None:
    bench = Bench()
    before = bench.balancer.registrations["i"]
    bench.report(Registration=before)
    assert bench.health() == IN_SERVICE
    bench.balancer.deregister(["i"], bench.now)
    bench.balancer.register(["i"])
    bench.report(Registration=before)
    assert bench.health() == REGISTERING
    bench.report(Registration=bench.balancer.registrations["i"])
    assert bench.health() == IN_SERVICE


def test_a_drain_that_ended_long_ago_does_not_touch_an_instance_that_is_back() -> None:
    bench = Bench()
    bench.balancer.deregister(["i"], bench.now)
    bench.balancer.register(["i"])
    bench.report()
    bench.elb.report_health("DELETE", PLACE, {})
    assert bench.health() == IN_SERVICE


def test_an_instance_drains_for_the_timeout_at_most() -> None:
    bench = Bench()
    bench.report()
    bench.balancer.deregister(["i"], bench.now)
    bench.report()
    bench.now = 29.0
    assert bench.balancer.leaving(bench.now) == {"i"}
    bench.now = 30.0
    assert bench.balancer.leaving(bench.now) == set()


def test_a_check_that_comes_before_its_time_out_is_over_is_refused_when_it_is_configured() -> None:
    elb = Elb(lambda: 0.0, AwsClock(0, 10))

    def configure(interval: int) -> Values:
        check = {"Interval": interval, "Timeout": 2}
        call = Call("1", "r", {"LoadBalancerName": "e", "HealthCheck": check}, lambda *_: {"HealthCheck": check})
        return elb.operations["ConfigureHealthCheck"](call)

    assert configure(30)
    assert configure(20)
    with pytest.raises(AwsError, match=r"The largest time scale for it is 2\.5: start the cluster with that"):
        configure(5)
