"""Which region the clients of AWS ask."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.credentials import RefreshableCredentials

from release.aws import AWS_ERRORS, Clients, region


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


def test_credentials_that_have_expired_for_good_are_an_error_of_aws() -> None:
    expired = datetime(2020, 1, 1, tzinfo=UTC)

    def refreshed() -> dict[str, str]:
        return {"access_key": "a", "secret_key": "b", "token": "c", "expiry_time": expired.isoformat()}

    credentials = RefreshableCredentials("a", "b", "c", expired, refreshed, "a role")
    with pytest.raises(AWS_ERRORS, match="still expired"):
        credentials.get_frozen_credentials()


def test_every_client_has_that_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    clients = Clients({"AWS_REGION": "eu-west-1"})
    made = [clients.ecr, clients.ecs, clients.s3, clients.ssm]
    assert {client.meta.region_name for client in made} == {"eu-west-1"}
