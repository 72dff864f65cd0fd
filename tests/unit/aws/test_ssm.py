"""Parameter Store by its pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sim.aws.model import Answer, AwsError, Calm
from sim.aws.ssm import Ssm

NAME = "/emails/token"


class Service:
    """A store at one moment."""

    def __init__(self) -> None:
        self.ssm = Ssm("arn:aws:ssm:eu-central-1:000000000000:parameter")

    def call(self, operation: str, **parameters: Any) -> Answer:
        return self.ssm.call(operation, {"Name": NAME, **parameters}, now=1000.0, choose=Calm())

    def put(self, value: str, **parameters: Any) -> Answer:
        return self.call("PutParameter", Value=value, Type="SecureString", **parameters)

    def refused(self, operation: str, **parameters: Any) -> str:
        with pytest.raises(AwsError) as refused:
            self.call(operation, **parameters)
        return refused.value.code


def test_a_secret_is_clear_only_with_decryption() -> None:
    service = Service()
    assert service.put("secret") == {"Version": 1, "Tier": "Standard"}
    assert service.call("GetParameter", WithDecryption=True)["Parameter"] == {
        "Name": NAME,
        "Type": "SecureString",
        "Value": "secret",
        "Version": 1,
        "LastModifiedDate": datetime.fromtimestamp(1000, UTC),
        "ARN": "arn:aws:ssm:eu-central-1:000000000000:parameter/emails/token",
        "DataType": "text",
    }
    assert "secret" not in service.call("GetParameter")["Parameter"]["Value"]
    assert "secret" not in repr(service.ssm.parameters)


def test_each_put_makes_a_version_and_the_last_one_is_read() -> None:
    service = Service()
    service.put("one")
    assert service.refused("PutParameter", Value="two", Type="SecureString") == "ParameterAlreadyExists"
    assert service.call("PutParameter", Value="two", Overwrite=True)["Version"] == 2
    assert service.call("GetParameter", WithDecryption=True)["Parameter"]["Value"] == "two"
    first = service.call("GetParameter", Name=f"{NAME}:1", WithDecryption=True)["Parameter"]
    assert (first["Value"], first["Selector"]) == ("one", ":1")
    assert service.refused("GetParameter", Name=f"{NAME}:3") == "ParameterVersionNotFound"


def test_a_hundred_versions_are_kept() -> None:
    service = Service()
    for number in range(101):
        service.put(str(number), Overwrite=True)
    assert service.refused("GetParameter", Name=f"{NAME}:1") == "ParameterVersionNotFound"
    assert service.call("GetParameter", Name=f"{NAME}:2", WithDecryption=True)["Parameter"]["Value"] == "1"


def test_calls_that_fail() -> None:
    service = Service()
    assert service.refused("GetParameter") == "ParameterNotFound"
    for bad in ({"Value": ""}, {"Value": "x" * 4097}, {"Name": "aws.x"}, {"Name": "a b"}, {"Type": "Secret"}):
        asked = {"Value": "x", "Type": "String", **bad}
        assert service.refused("PutParameter", **asked) == "ValidationException"
    assert service.refused("PutParameter", Value="x") == "ValidationException"
    assert service.refused("PutParameter", Name="/aws/x", Value="x", Type="String") == "AccessDeniedException"
    service.put("x")
    assert service.refused("PutParameter", Value="y", Type="String", Overwrite=True) == "HierarchyTypeMismatchException"
