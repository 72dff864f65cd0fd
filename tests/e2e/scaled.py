"""A cluster on which AWS's clock runs faster: the health checks of production's Terraform come less often for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sim.targets import create_cluster
from sim.targets.target import Progress, Target, TaskRuntime, Tuning

_HEALTH_CHECKS: Final = {
    "cluster": """
resource "aws_elb" "this" {
  health_check {
    target              = "HTTP:8080/health"
    interval            = 60
    timeout             = 4
    unhealthy_threshold = 2
    healthy_threshold   = 2
  }
}
""",
    "modules/task": """
locals {
  health_check = {
    command     = ["CMD", "python", "-m", "services.${var.service}.health"]
    interval    = 60
    timeout     = 4
    retries     = 3
    startPeriod = 300
  }
}
""",
    "services/api": """
locals {
  grace_seconds = 300
}
""",
}
"""By root or module. At a time scale of 15 a check comes every 4 seconds, which is its time-out."""


def scaled_cluster(
    tuning: Tuning,
    progress: Progress,
    runtime: TaskRuntime | None,
    folder: Path,
    settings: Mapping[str, str] | None = None,
) -> Target:
    """The cluster, not yet up. `settings` are more of them over production's own, by root or module.

    Terraform works in `folder`.
    """
    for name, given in {**_HEALTH_CHECKS, **(settings or {})}.items():
        root = folder / "terraform" / name
        root.mkdir(parents=True)
        (root / "scaled_override.tf").write_text(given)
    return create_cluster(tuning, progress, runtime, folder)
