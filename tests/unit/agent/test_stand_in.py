"""Which local image stands for an image that a container definition names."""

from __future__ import annotations

import pytest

from sim.agent.stand_in import stand_in

ECR = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
LOCAL = {"team/web": "local-web", "team/web:2": "local-web-2", "nginx": "local-nginx", f"{ECR}/other": "local-other"}


@pytest.mark.parametrize(
    ("image", "local"),
    [
        (f"{ECR}/team/web:1", "local-web"),
        (f"{ECR}/team/web:2", "local-web-2"),
        (f"{ECR}/team/web", "local-web"),
        (f"{ECR}/team/web@sha256:{'0' * 64}", "local-web"),
        ("localhost:5000/team/web:2", "local-web-2"),
        ("nginx:1.27", "local-nginx"),
        (f"{ECR}/other:1", "local-other"),
        ("other:1", None),
        (f"{ECR}/team/web-admin:1", None),
        ("library/nginx", None),
    ],
)
def test_an_image_is_found_by_its_repository_and_before_that_by_its_tag(image: str, local: str | None) -> None:
    assert stand_in(image, LOCAL) == local
