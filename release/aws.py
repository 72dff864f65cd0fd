"""The one maker of the clients of AWS: all have one region, one set of credentials and the same patience."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_ecs import ECSClient
    from types_boto3_s3 import S3Client
    from types_boto3_ssm import SSMClient

AWS_ERRORS = (BotoCoreError, ClientError, RuntimeError)
"""Whatever a call of a client raises; the last where refreshed credentials are still expired."""

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=5, read_timeout=30)


class Clients:
    """The clients, each made when it is first asked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @cached_property
    def ecr(self) -> ECRClient:
        """The registry of images."""
        return self._session.client("ecr", config=_CONFIG)

    @cached_property
    def ecs(self) -> ECSClient:
        """The services."""
        return self._session.client("ecs", config=_CONFIG)

    @cached_property
    def s3(self) -> S3Client:
        """The bucket of the states."""
        return self._session.client("s3", config=_CONFIG)

    @cached_property
    def ssm(self) -> SSMClient:
        """The token's parameter."""
        return self._session.client("ssm", config=_CONFIG)

    @cached_property
    def _session(self) -> boto3.Session:
        # boto3's own default session keeps the credentials of whoever was first in the process.
        return boto3.Session(region_name=region(self._environ))


def region(environ: Mapping[str, str]) -> str | None:
    """The region that the environment names, in the order of Terraform's provider; None leaves it to the profile.

    boto3 reads the second variable alone:
    https://docs.aws.amazon.com/boto3/latest/guide/configuration.html#using-environment-variables
    """
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None
