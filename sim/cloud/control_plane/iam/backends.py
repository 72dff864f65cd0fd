"""What moto and LocalStack keep of sessions and policies, as values. Nothing here makes a call.

A policy is read once for each text, so that a change holds at the next call. Of the policies of resources, those of
queues, buckets and keys and the trust policies of roles are found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from functools import lru_cache
from typing import Any

from sim.aws.api_call import ApiCall
from sim.aws.iam.evaluate import Policies
from sim.aws.iam.needs import Destination, Need, Parameters, values
from sim.aws.iam.policy import Policy, PolicyKind, parse
from sim.aws.iam.request import Request, account_of
from sim.aws.iam.request import session as session_of_role
from sim.cloud.control_plane.iam.gate import Session
from sim.cloud.control_plane.iam.service_sessions import Credentials
from sim.cluster.desired import DesiredInstance

_PARTITION = "aws"
_OF_SSM = "alias/aws/ssm"
"""The key that AWS keeps for Parameter Store."""


class Sessions:
    """The sessions of roles by their keys. A key that was found once is found at once the next time."""

    def __init__(self) -> None:
        self._known: dict[str, Session] = {}

    def find(self, account: str, key: str) -> Session | None:
        """The session of a key; None if STS has given no such key."""
        if key not in self._known:
            from moto.sts.models import sts_backends  # noqa: PLC0415 - import only at the first call

            assumed = sts_backends[account][_PARTITION].get_assumed_role_from_access_key(key)
            if assumed is None:
                return None
            self._known[key] = Session(session_of_role(assumed.role_arn, assumed.session_name), assumed.policy or None)
        return self._known[key]


def is_of_user(account: str, key: str) -> bool:
    """True for the access key of a user of an account."""
    from moto.iam.models import iam_backends  # noqa: PLC0415 - import only at the first call

    return key in iam_backends[account][_PARTITION].access_keys


def begin_session(role: str, name: str, seconds: int) -> Credentials:
    """Has STS begin a session of a role, with this name. Whether the role trusts the caller is not asked here."""
    from localstack.services.iam.iam_patches import apply_iam_patches  # noqa: PLC0415 - import only at the first call
    from moto.sts.models import sts_backends  # noqa: PLC0415

    # Without them, the key of a session would not say in which account it is.
    apply_iam_patches()
    sts = sts_backends[account_of(role)][_PARTITION]
    begun = sts.assume_role(
        region_name=_PARTITION, role_session_name=name, role_arn=role, policy=None, duration=seconds, external_id=None
    )
    expires = begun.expiration.replace(tzinfo=UTC).timestamp()
    return Credentials(role, begun.access_key_id, begun.secret_access_key, begun.session_token, expires)


def trust_of(arn: str) -> Policy | None:
    """The trust policy of a role; None if there is no such role."""
    role = _role(arn)
    return None if role is None else _maybe(role.assume_role_policy_document, "the role", PolicyKind.TRUST)


def audiences_of(account: str, issuer: str) -> tuple[str, ...] | None:
    """The audiences of an account's identity provider; None if there is no such provider."""
    from moto.iam.models import iam_backends  # noqa: PLC0415 - import only at the first call

    providers = list(iam_backends[account][_PARTITION].open_id_providers.values())
    return next((tuple(each.client_id_list) for each in providers if each.url == issuer), None)


def profile_role(instance: DesiredInstance) -> str:
    """The ARN of the role in an EC2 instance's profile, "" without one."""
    from moto.ec2.models import ec2_backends  # noqa: PLC0415 - import only at the first call

    place = instance.place
    association = ec2_backends[place.account][place.region].iam_instance_profile_associations.get(instance.id)
    roles = association.iam_instance_profile.roles if association else []
    return str(roles[0].arn) if roles else ""


def roles() -> dict[str, tuple[Policy, ...]]:
    """The identity policies of each role of all accounts, by its ARN. Raises MalformedPolicy."""
    from moto.iam.models import iam_backends  # noqa: PLC0415 - import only at the first call

    accounts = [partitions[_PARTITION] for partitions in list(iam_backends.values()) if _PARTITION in partitions]
    return {role.arn: tuple(_identity(role)) for iam in accounts for role in list(iam.roles.values())}


def policies_of(session: Session, request: Request) -> Policies:
    """All policies that have a say in a request of a session. A role that is gone has none."""
    role = _role(session.principal.role)
    boundary = None if role is None else role.permissions_boundary_arn
    return Policies(
        tuple(_identity(role)) if role is not None else (),
        _read(_managed(role, boundary), boundary, PolicyKind.BOUNDARY) if boundary else None,
        _read(session.policy, "the session", PolicyKind.SESSION) if session.policy else None,
        _of_resource(request),
    )


def decryption(call: ApiCall, parameters: Parameters, destination: Destination) -> list[Need]:
    """What SSM needs of KMS to decrypt parameters for the caller: nothing of AWS's own key, which serves the account.

    https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    """
    if call.service != "ssm" or not parameters.get("WithDecryption"):
        return []
    from moto.ssm.models import ssm_backends  # noqa: PLC0415 - import only at the first call

    ssm = ssm_backends[destination.account][destination.region]
    names = values(parameters, "Names" if "Names" in parameters else "Name")
    # moto would ask Secrets Manager for its secrets. One that is not there, SSM will say.
    found = ssm.get_parameters([each for each in names if not each.startswith("/aws/reference/")]).values()
    return [
        Need(
            "kms:Decrypt",
            _key_arn(each.keyid, destination),
            {
                "kms:ViaService": f"ssm.{destination.region}.amazonaws.com",
                "kms:EncryptionContext:PARAMETER_ARN": destination.arn("ssm", f"parameter/{each.name.lstrip('/')}"),
            },
        )
        for each in found
        if each.parameter_type == "SecureString" and each.keyid != _OF_SSM
    ]


def _key_arn(key: str, destination: Destination) -> str:
    """The ARN of a key that is named by its id, its alias or its ARN."""
    from localstack.services.kms.models import kms_stores  # noqa: PLC0415 - import only at the first call

    name = key.rpartition(":")[2]
    if name.startswith("alias/"):
        alias = kms_stores[destination.account][destination.region].aliases.get(name)
        name = f"key/{alias.metadata['TargetKeyId']}" if alias else name
    return destination.arn("kms", name if "/" in name else f"key/{name}")


@lru_cache(maxsize=4096)
def _read(document: str, name: str, kind: PolicyKind) -> Policy:
    return parse(document, name=name, kind=kind)


def _role(arn: str) -> Any:
    """moto's role; None if there is no role with this name any more."""
    from moto.iam.models import iam_backends  # noqa: PLC0415 - import only at the first call

    roles = iam_backends[account_of(arn)][_PARTITION].roles.values()
    name = arn.rpartition("/")[2]
    # Only one has the name, and an ARN takes longer to make.
    return next((role for role in roles if role.name == name and role.arn == arn), None)


def _identity(role: Any) -> Iterator[Policy]:
    for name, document in role.policies.items():
        yield _read(_text(document), name, PolicyKind.IDENTITY)
    for arn in role.managed_policies:
        yield _read(_managed(role, arn), arn, PolicyKind.IDENTITY)


def _managed(role: Any, arn: str) -> str:
    """The default version of a managed policy."""
    from moto.iam.models import iam_backends  # noqa: PLC0415 - import only at the first call

    policy = iam_backends[role.account_id][_PARTITION].managed_policies[arn]
    return next(_text(each.document) for each in policy.versions if each.version_id == policy.default_version_id)


def _of_resource(request: Request) -> Policy | None:
    service, name = request.resource.split(":")[2:3], request.resource.rpartition(":")[2]
    match service:
        case ["sqs"]:
            return _maybe(_queue_policy(request), "the queue", PolicyKind.RESOURCE)
        case ["s3"]:
            return _maybe(_bucket_policy(request.account, name.partition("/")[0]), "the bucket", PolicyKind.RESOURCE)
        case ["kms"]:
            return _maybe(_key_policy(request), "the key", PolicyKind.KEY)
        case ["iam"] if request.action.startswith("sts:"):
            return trust_of(request.resource)
        case _:
            return None


def _maybe(document: Any, name: str, kind: PolicyKind) -> Policy | None:
    return _read(_text(document), name, kind) if document else None


def _text(document: str | Mapping[str, Any]) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _queue_policy(request: Request) -> Any:
    from localstack.services.sqs.models import sqs_stores  # noqa: PLC0415 - import only at the first call

    _, _, _, region, account, name = request.resource.split(":", 5)
    queue = sqs_stores[account][region].queues.get(name)
    return queue.attributes.get("Policy") if queue else None


def _key_policy(request: Request) -> Any:
    from localstack.services.kms.models import kms_stores  # noqa: PLC0415 - import only at the first call

    region, name = request.resource.split(":")[3], request.resource.rpartition("/")[2]
    key = kms_stores[request.account][region].keys.get(name)
    return key.policy if key else None


def _bucket_policy(account: str, name: str) -> Any:
    from localstack.services.s3.models import s3_stores  # noqa: PLC0415 - import only at the first call

    # Buckets are the same from every region.
    bucket = s3_stores[account]["us-east-1"].buckets.get(name)
    return bucket.policy if bucket else None
