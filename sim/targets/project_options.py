"""How the cluster of a project is set. A state file keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.terraform.project_settings import ProjectSettings


@dataclass(frozen=True)
class ProjectOptions:
    """A project's Terraform, its images by repository, and how many times as fast AWS's clock runs.

    An image is the name of one, or the path of a folder with a Dockerfile.
    """

    terraform: ProjectSettings
    images: Mapping[str, str] = field(default_factory=dict)
    time_scale: float = 1.0
