"""Where a request goes, when it waits, and when it is refused."""

from __future__ import annotations

import time
from collections import Counter

from sim.cluster.balancer import routing
from sim.cluster.balancer.answers import AT_CAPACITY
from sim.cluster.balancer.routing import Close, Queue, Send
from tests.unit.cluster.proves import proves

TARGETS = ("i-1", "i-2", "i-3")


@proves(routing.least_outstanding)
def test_a_request_goes_where_fewest_are_outstanding() -> None:
    for turn in range(6):
        assert routing.route(TARGETS, {"i-1": 4, "i-2": 1, "i-3": 2}, turn) == Send("i-2")


@proves(routing._turned)
def test_targets_with_equally_many_outstanding_get_equal_shares() -> None:
    sent = Counter(routing.route(TARGETS, {}, turn) for turn in range(300))
    assert sent == {Send(each): 100 for each in TARGETS}
    busy = Counter(routing.route(TARGETS, {"i-1": 2, "i-2": 2, "i-3": 5}, turn) for turn in range(300))
    assert set(busy) == {Send("i-1"), Send("i-2")}


@proves(routing.in_turn)
def test_connections_over_tcp_go_round() -> None:
    went = [routing.route_connection(TARGETS, turn) for turn in range(6)]
    assert went == [Send(each) for each in TARGETS * 2]


@proves(routing.left_to_try)
def test_a_connection_that_fails_is_tried_with_another_target() -> None:
    assert routing.route(TARGETS, {"i-2": 9}, 0, tried={"i-1", "i-3"}) == Send("i-2")
    assert routing.route_connection(TARGETS, 0, tried={"i-1"}) == Send("i-2")


@proves(routing.spills)
def test_what_cannot_connect_waits_until_the_surge_queue_is_full() -> None:
    assert routing.route(TARGETS, {}, 0, tried=TARGETS, waiting=1023) == Queue()
    assert routing.route(TARGETS, {}, 0, tried=TARGETS, waiting=1024) == AT_CAPACITY
    assert routing.route_connection(TARGETS, 0, tried=TARGETS, waiting=1024) == Close()


@proves(routing.nowhere)
def test_without_a_target_a_request_is_refused_and_a_connection_closed() -> None:
    assert routing.route((), {}, 0) == AT_CAPACITY
    assert routing.route_connection((), 0) == Close()


def test_a_cookie_decides_while_its_target_is_there() -> None:
    assert routing.route(TARGETS, {"i-2": 9}, 0, sticky="i-2") == Send("i-2")
    assert routing.route(TARGETS, {}, 0, sticky="i-9") == Send("i-1")
    assert routing.route(TARGETS, {}, 0, sticky="i-2", tried={"i-2"}) == Send("i-1")


def test_a_choice_among_ten_targets_takes_microseconds() -> None:
    targets = tuple(f"i-{n}" for n in range(10))
    outstanding = dict.fromkeys(targets, 3)
    began = time.process_time()
    for turn in range(10_000):
        routing.route(targets, outstanding, turn)
    each = (time.process_time() - began) / 10_000
    assert each < 50e-6, f"{each * 1e6:.1f} microseconds"
