"""Settings that other people's projects have: applied, planned without a change, changed and destroyed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from release.terraform import Root, surroundings
from sim.cloud.aws_client import CREDENTIALS, NO_FILES, REGION
from sim.cloud.local import LocalCloud
from sim.terraform import installation
from tests.terraform.conftest import changes, client

ROOT = Path(__file__).with_name("settings_of_others")


@pytest.mark.usefixtures("provider")
def test_they_are_applied_kept_changed_and_destroyed(cloud: LocalCloud, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(ROOT, tmp_path / "others"))
    aws = {**CREDENTIALS, **NO_FILES, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": cloud.endpoint}
    environment = {**aws, **installation.environment(tmp_path, os.environ)}
    first = Root("others", directory, {**surroundings(os.environ, {}), **environment})
    first.init()
    first.apply()
    assert _differences(first) == {}
    assert _weights(cloud) == ["1", "2"]

    second = Root("others", directory, {**surroundings(os.environ, {"spot_weight": "3"}), **environment})
    second.apply()
    assert _differences(second) == {}
    assert _weights(cloud) == ["1", "3"]
    second.destroy()
    assert client("autoscaling", cloud.endpoint).describe_auto_scaling_groups()["AutoScalingGroups"] == []


def _differences(root: Root) -> dict[str, dict[str, tuple[object, object]]]:
    """What the next apply would change: before and after of each attribute, by resource."""
    return {
        each.address: {
            name: (value, (each.after or {}).get(name))
            for name, value in (each.before or {}).items()
            if value != (each.after or {}).get(name)
        }
        for each in changes(root)
    }


def _weights(cloud: LocalCloud) -> list[str]:
    [group] = client("autoscaling", cloud.endpoint).describe_auto_scaling_groups()["AutoScalingGroups"]
    return [each["WeightedCapacity"] for each in group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]]
