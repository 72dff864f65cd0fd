"""Which region the clients of AWS ask."""

from __future__ import annotations

import pytest

from release.aws import Clients, region


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        ({}, None),
    ],
)
def test_the_region_is_the_one_that_terraform_takes(environ: dict[str, str], wanted: str | None) -> None:
    assert region(environ) == wanted


def test_every_client_has_that_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    clients = Clients({"AWS_REGION": "eu-west-1"})
    made = [clients.ecr, clients.ecs, clients.s3, clients.ssm]
    assert {client.meta.region_name for client in made} == {"eu-west-1"}
