"""Which subnets a NAT gateway serves, and what they reach without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.aws.routes import Endpoint, Network, RouteTable

NETWORK = Network(
    tables=(
        RouteTable("rtb-public", "vpc-1", main=False, subnets=frozenset({"public"}), nat_gateway=""),
        RouteTable("rtb-a", "vpc-1", main=False, subnets=frozenset({"a"}), nat_gateway="nat-a"),
        RouteTable("rtb-b", "vpc-1", main=False, subnets=frozenset({"b"}), nat_gateway="nat-b"),
        RouteTable("rtb-main", "vpc-1", main=True, subnets=frozenset(), nat_gateway="nat-b"),
        RouteTable("rtb-other", "vpc-2", main=True, subnets=frozenset(), nat_gateway="nat-a"),
    ),
    endpoints=(
        Endpoint("s3", "vpc-1", frozenset({"rtb-a"})),
        Endpoint("ssm", "vpc-1", None),
    ),
    lost=frozenset({"nat-a"}),
)


def test_a_subnet_does_not_reach_what_is_behind_the_nat_gateway_of_its_default_route() -> None:
    assert NETWORK.lost_gateway("vpc-1", "a", "sqs") == "nat-a"
    assert NETWORK.lost_gateway("vpc-1", "b", "sqs") == ""
    assert NETWORK.lost_gateway("vpc-1", "public", "sqs") == ""


def test_a_subnet_without_a_route_table_of_its_own_has_the_main_one_of_its_vpc() -> None:
    assert NETWORK.lost_gateway("vpc-2", "c", "sqs") == "nat-a"
    assert NETWORK.lost_gateway("vpc-1", "c", "sqs") == ""
    assert NETWORK.lost_gateway("vpc-3", "c", "sqs") == ""


@pytest.mark.parametrize(("service", "lost"), [("s3", ""), ("ssm", ""), ("sqs", "nat-a")])
def test_a_gateway_endpoint_serves_its_route_tables_and_an_interface_endpoint_the_vpc(service: str, lost: str) -> None:
    assert NETWORK.lost_gateway("vpc-1", "a", service) == lost


@pytest.mark.parametrize(("service", "lost"), [("s3", "nat-b"), ("ssm", "")])
def test_a_gateway_endpoint_serves_no_other_route_table(service: str, lost: str) -> None:
    assert replace(NETWORK, lost=frozenset({"nat-b"})).lost_gateway("vpc-1", "b", service) == lost


def test_an_endpoint_serves_no_other_vpc() -> None:
    assert NETWORK.lost_gateway("vpc-2", "c", "ssm") == "nat-a"
