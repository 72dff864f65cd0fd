"""The secrets of a container, from Parameter Store and Secrets Manager.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from sim.agent.definition import Values
from sim.agent.runtime import CannotStart
from sim.cluster.desired import Place

_SECRET_PARTS: Final = 7
"""Of a secret's ARN; after them come a JSON key, a version stage and a version id."""


class _NotThere(Exception):
    """There is no such parameter."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A secret of Secrets Manager. The whole of it without a `key`; empty version parts mean the current one."""

    arn: str
    key: str = ""
    stage: str = ""
    version: str = ""


def secret_ref(value_from: str) -> SecretRef | None:
    """What a `valueFrom` names in Secrets Manager; None if it names a parameter."""
    if not value_from.startswith("arn:") or value_from.split(":")[2] != "secretsmanager":
        return None
    parts = value_from.split(":")
    key, stage, version = [*parts[_SECRET_PARTS:], "", "", ""][:3]
    return SecretRef(":".join(parts[:_SECRET_PARTS]), key, stage, version)


def fetched(container: Values, place: Place, client: Callable[[str, Place], Any]) -> Mapping[str, str]:
    """The values of a container's secrets by variable. Raises CannotStart, which names the secret, never a value."""
    found: dict[str, str] = {}
    for each in container.get("secrets") or ():
        value_from = str(each["valueFrom"])
        try:
            found[each["name"]] = _value(value_from, place, client)
        except (BotoCoreError, ClientError, _NotThere, KeyError, ValueError) as error:
            known = isinstance(error, (BotoCoreError, ClientError, _NotThere))
            what = str(error) if known else "it has no such JSON key"
            raise CannotStart(
                f"ResourceInitializationError: unable to pull secrets or registry auth: "
                f"unable to retrieve the secret {value_from}: {what}"
            ) from None
    return found


def _value(value_from: str, place: Place, client: Callable[[str, Place], Any]) -> str:
    at = Place(place.account, value_from.split(":")[3]) if value_from.startswith("arn:") else place
    ref = secret_ref(value_from)
    if ref is None:
        name = value_from.partition(":parameter")[2] if value_from.startswith("arn:") else value_from
        name = name if name.count("/") > 1 or not value_from.startswith("arn:") else name.removeprefix("/")
        # The execution role needs ssm:GetParameters, and not the singular.
        answer = client("ssm", at).get_parameters(Names=[name], WithDecryption=True)
        if not answer["Parameters"]:
            raise _NotThere(f"invalid parameters: {name}")
        return str(answer["Parameters"][0]["Value"])
    version = {"VersionStage": ref.stage, "VersionId": ref.version}
    answer = client("secretsmanager", at).get_secret_value(
        SecretId=ref.arn, **{name: value for name, value in version.items() if value}
    )
    text = str(answer["SecretString"])
    return str(json.loads(text)[ref.key]) if ref.key else text
