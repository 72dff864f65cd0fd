"""What a `valueFrom` names, and how it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from sim.agent.runtime import CannotStart
from sim.agent.secrets import SecretRef, fetched, secret_ref
from sim.cluster.desired import Place

PLACE = Place("000000000000", "eu-central-1")
ARN = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:db-AbCdEf"


class Cloud:
    """Parameter Store and Secrets Manager with one of each."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def client(self, service: str, place: Place) -> Any:
        self._service, self._place = service, place
        return self

    def get_parameters(self, **parameters: Any) -> Any:
        self.asked.append((self._service, self._place.region, parameters))
        there = not parameters["Names"][0].endswith("none")
        return {"Parameters": [{"Value": "a parameter"}] if there else []}

    def get_secret_value(self, **parameters: Any) -> Any:
        self.asked.append((self._service, self._place.region, parameters))
        return {"SecretString": '{"user": "me"}'}


def values(value_from: str, cloud: Cloud) -> str:
    return fetched({"secrets": [{"name": "IT", "valueFrom": value_from}]}, PLACE, cloud.client)["IT"]


@pytest.mark.parametrize(
    ("value_from", "region", "name"),
    [
        ("/mail/token", "eu-central-1", "/mail/token"),
        ("token", "eu-central-1", "token"),
        ("arn:aws:ssm:eu-west-1:000000000000:parameter/mail/token", "eu-west-1", "/mail/token"),
        ("arn:aws:ssm:eu-west-1:000000000000:parameter/token", "eu-west-1", "token"),
    ],
)
def test_a_parameter_is_named_by_name_or_arn(value_from: str, region: str, name: str) -> None:
    cloud = Cloud()
    assert values(value_from, cloud) == "a parameter"
    assert cloud.asked == [("ssm", region, {"Names": [name], "WithDecryption": True})]


def test_a_secret_is_whole_or_a_key_of_its_json_of_a_version() -> None:
    cloud = Cloud()
    assert values(ARN, cloud) == '{"user": "me"}'
    assert values(f"{ARN}:user:AWSPREVIOUS:", cloud) == "me"
    assert cloud.asked[1] == ("secretsmanager", "eu-west-1", {"SecretId": ARN, "VersionStage": "AWSPREVIOUS"})
    assert secret_ref(f"{ARN}:user::7") == SecretRef(ARN, "user", "", "7")


@pytest.mark.parametrize("value_from", ["/none", f"{ARN}:password::"])
def test_one_that_is_not_there_is_named_and_no_value_is(value_from: str) -> None:
    with pytest.raises(CannotStart) as raised:
        values(value_from, Cloud())
    assert str(raised.value).startswith("ResourceInitializationError: unable to pull secrets or registry auth")
    assert value_from in str(raised.value)
    assert "me" not in str(raised.value).split()
