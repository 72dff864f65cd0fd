"""What the acts of the page do to the faults of calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from sim.cloud.gateway.control_client import GatewayControl, GatewayState
from sim.cloud.resources import Resources
from sim.faults.plan import Fault, FaultPlan, Rule
from sim.stack.lifecycle import NoCluster, Stack
from sim.stack.page import PageAddress
from sim.targets.target import Provision
from sim.watch import perform
from sim.watch.perform import Performer
from sim.watch.wanted import BadAct, Cut, EndFault, Inject, Mend, Restore, Wanted

SLOW = Rule(Fault.LATENCY, caller="worker", seconds=2, probability=0.3)
SLOWER = Rule(Fault.LATENCY, caller="worker", seconds=9)
THROTTLED = Rule(Fault.THROTTLE)
STACK = Stack(
    supervisor=1,
    started="",
    url="",
    endpoint="",
    heartbeat="",
    target="process",
    provision=Provision.KIT,
    resources=Resources("", "", "", "", ""),
    parts={},
    versions=Path("/versions"),
    gateway="http://127.0.0.1:1",
    page=PageAddress(2, "token"),
)


@dataclass
class Gateway:
    """Stands for a gateway's control port."""

    plan: FaultPlan = field(default_factory=lambda: FaultPlan(seed=7))
    closed: list[str] = field(default_factory=list)

    def state(self) -> GatewayState:
        return GatewayState(self.plan, tuple(self.closed))

    def inject(self, plan: FaultPlan) -> None:
        self.plan = plan

    def cut(self, name: str) -> None:
        self.closed.append(name)

    def mend(self, name: str) -> None:
        self.closed.remove(name)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    made = Gateway()

    def control(url: str) -> Gateway:
        assert url == STACK.gateway
        return made

    monkeypatch.setattr(perform, GatewayControl.__name__, control)
    return made


def do(wanted: Wanted) -> str:
    def deployment(_: object) -> NoReturn:
        raise AssertionError("nothing is deployed")

    return Performer(lambda: STACK, deployment).perform(wanted, print)


def test_a_fault_comes_beside_the_others_and_in_place_of_one_for_the_same_calls(gateway: Gateway) -> None:
    for rule in (SLOW, THROTTLED, SLOWER):
        do(Inject("inject", rule))
    assert gateway.plan == FaultPlan((THROTTLED, SLOWER), seed=7)


def test_a_fault_ends_alone(gateway: Gateway) -> None:
    gateway.plan = FaultPlan((SLOW, THROTTLED))
    assert do(EndFault("end-fault", "latency worker")) == "ended latency worker"
    assert gateway.plan.rules == (THROTTLED,)
    with pytest.raises(BadAct, match="no fault 'latency worker' acts; there are: throttle all services"):
        do(EndFault("end-fault", "latency worker"))


def test_a_service_is_cut_off_from_what_it_calls(gateway: Gateway) -> None:
    do(Cut("cut", "worker", "s3"))
    assert gateway.closed == ["worker-s3"]
    do(Mend("mend", "worker-s3"))
    assert gateway.closed == []
    with pytest.raises(BadAct, match="the api does not call s3; it calls sqs, ssm"):
        do(Cut("cut", "api", "s3"))
    with pytest.raises(BadAct, match="there is no port 'api-s3'"):
        do(Mend("mend", "api-s3"))


@pytest.mark.usefixtures("gateway")
def test_what_needs_a_cluster_is_refused_without_one() -> None:
    with pytest.raises(NoCluster, match="no cluster, which restore needs"):
        do(Restore("restore"))
