"""AWS Systems Manager Parameter Store: a specification that runs.

A parameter is its versions; a put adds one, a get without a number reads the last. Nothing is left to choice.

Pages are below https://docs.aws.amazon.com/systems-manager/latest/: [API] is `APIReference/`, [Guide] is `userguide/`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sim.aws.model import Answer, AwsError, Choice, Parameters, find, operation

MAX_VALUE_BYTES = 4096
"""[Guide] parameter-store-advanced-parameters: of a standard parameter."""
MAX_VERSIONS = 100
"""[Guide] sysman-paramstore-versions: with the next one the oldest goes."""

_NAME = re.compile(r"(?!(aws|ssm))[a-zA-Z0-9_.\-/]+", re.IGNORECASE)
_RESERVED = re.compile(r"/(aws|ssm)(/|$)", re.IGNORECASE)
_TYPES = ("String", "StringList", "SecureString")


@dataclass(frozen=True)
class Version:
    """One version of a parameter's value. The time is in Unix seconds."""

    number: int
    type: str
    value: str = field(repr=False)
    modified_at: float


class Ssm:
    """All parameters of one account in one region. `call` is the service."""

    def __init__(self, arn_prefix: str) -> None:
        """`arn_prefix` is the part of an ARN up to and including `parameter`."""
        self.arn_prefix = arn_prefix
        self.parameters: dict[str, dict[int, Version]] = {}

    def call(self, name: str, parameters: Parameters, *, now: float, choose: Choice) -> Answer:
        """The answer to an operation. Raises AwsError, or NotModelled."""
        del choose
        answer: Answer = find(_OPERATIONS, name, parameters).do(self, parameters, now)
        return answer


def _get(ssm: Ssm, parameters: Parameters, now: float) -> Answer:
    """[API] API_GetParameter: the last version, or with `name:number` that one; a SecureString in the clear only when
    asked for with decryption."""
    del now
    name, _, selector = parameters["Name"].partition(":")
    versions = ssm.parameters.get(name)
    if versions is None:
        raise AwsError("ParameterNotFound", "")
    number = int(selector) if selector.isdecimal() else max(versions)
    version = versions.get(number)
    if version is None:
        raise AwsError("ParameterVersionNotFound", f"Systems Manager could not find version {number} of {name}.")
    clear = version.type != "SecureString" or parameters.get("WithDecryption", False)
    answer = {
        "Name": name,
        "Type": version.type,
        "Value": version.value if clear else _encrypted(version),
        "Version": number,
        "LastModifiedDate": datetime.fromtimestamp(version.modified_at, UTC),
        "ARN": f"{ssm.arn_prefix}/{name.removeprefix('/')}",
        "DataType": "text",
    }
    return {"Parameter": {**answer, "Selector": f":{selector}"} if selector else answer}


def _put(ssm: Ssm, parameters: Parameters, now: float) -> Answer:
    """[API] API_PutParameter: a new name needs a type; one that is there needs Overwrite, and keeps its type."""
    name, value = parameters["Name"], parameters["Value"]
    versions = ssm.parameters.get(name, {})
    last = versions[max(versions)] if versions else None
    kind = parameters.get("Type", last.type if last else None)
    if not _NAME.fullmatch(name):
        raise AwsError("ValidationException", "A name is of a-zA-Z0-9_.-/ and does not begin with aws or ssm.")
    if _RESERVED.match(name):
        raise AwsError("AccessDeniedException", f"No access to the reserved parameter name {name}.")
    if kind not in _TYPES or not value or len(value.encode()) > MAX_VALUE_BYTES:
        raise AwsError("ValidationException", f"A type, and a value of 1 to {MAX_VALUE_BYTES} bytes are needed.")
    if last is not None and not parameters.get("Overwrite", False):
        raise AwsError("ParameterAlreadyExists", "The parameter already exists.")
    if last is not None and kind != last.type:
        raise AwsError("HierarchyTypeMismatchException", "A parameter's type cannot be changed.")
    number = last.number + 1 if last else 1
    versions[number] = Version(number, kind, value, now)
    versions.pop(number - MAX_VERSIONS, None)
    ssm.parameters[name] = versions
    return {"Version": number, "Tier": "Standard"}


def _encrypted(version: Version) -> str:
    """What KMS might have made of it: nobody can read the value out of it."""
    return base64.b64encode(hashlib.sha512(f"{version.number}:{version.value}".encode()).digest()).decode()


_OPERATIONS = {
    "GetParameter": operation(_get, "Name", "WithDecryption"),
    "PutParameter": operation(_put, "Name", "Value", "Type", "Overwrite"),
}
