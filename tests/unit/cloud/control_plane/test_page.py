"""docs/control-plane.md lists exactly the operations that the plugin corrects."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from sim.cloud.control_plane.application_autoscaling.provider import ApplicationAutoScaling
from sim.cloud.control_plane.application_autoscaling.scaling import Scaling
from sim.cloud.control_plane.autoscaling.groups import Groups, GroupSteps
from sim.cloud.control_plane.autoscaling.known import KnownGroups
from sim.cloud.control_plane.autoscaling.policy_operations import PolicyOperations
from sim.cloud.control_plane.autoscaling.provider import AutoScaling
from sim.cloud.control_plane.call import Regional
from sim.cloud.control_plane.cloudwatch.provider import operations as cloudwatch
from sim.cloud.control_plane.ec2.provider import OPERATIONS as EC2
from sim.cloud.control_plane.ecr.provider import Ecr
from sim.cloud.control_plane.ecs.capacity_provider_operations import CapacityProviderOperations
from sim.cloud.control_plane.ecs.provider import Ecs
from sim.cloud.control_plane.ecs.state import Surroundings
from sim.cloud.control_plane.elb.provider import Elb
from sim.cloud.control_plane.elbv2.provider import Elbv2
from sim.cloud.control_plane.sqs.provider import OPERATIONS as SQS
from sim.cloud.control_plane.ssm.provider import OPERATIONS as SSM

PAGE = Path(__file__).resolve().parents[4] / "docs" / "control-plane.md"


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def test_the_page_has_a_row_for_each_corrected_operation() -> None:
    groups: Groups = Regional(dict)
    known = KnownGroups(groups, GroupSteps(groups, lambda _: {}, time.time, Random(0)))
    policies = PolicyOperations(known, lambda _: nullcontext(), lambda _: None, lambda: (), time.time)
    ecs = Ecs(Surroundings(time.time, Random(0), lambda: False, lambda *_: 0.0))
    provided = {
        "application-autoscaling": ApplicationAutoScaling(
            ecs.has_service, Regional(Scaling), lambda _: None
        ).operations,
        "autoscaling": {**AutoScaling(known, time.time, Random(0)).operations, **policies.operations},
        "cloudwatch": cloudwatch(time.time, lambda _: None),
        "ec2": EC2,
        "ecr": Ecr(None, now).operations,
        "ecs": {**ecs.operations, **CapacityProviderOperations(groups).operations},
        "elb": Elb(time.time).operations,
        "elbv2": Elbv2(time.time, lambda: False).operations,
        "sqs": SQS,
        "ssm": SSM,
    }
    rows = re.findall(
        r"^\| ([a-z0-9-]+) \| \[(\w+)\]\(https://docs\.aws\.amazon\.com/\S+API_(\w+)\.html\)", PAGE.read_text(), re.M
    )
    assert all(operation == linked for _, operation, linked in rows)
    assert sorted((service, operation) for service, operation, _ in rows) == sorted(
        (service, operation) for service, operations in provided.items() for operation in operations
    )
