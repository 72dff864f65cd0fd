"""The one maker of AWS clients for the local cloud.

What a person has set up for AWS itself has no effect on it: profiles, `~/.aws`, `AWS_*` variables, proxies. A session
of boto3 would read all of them, so the session is made without the places where it looks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

REGION: Final = "eu-central-1"
ACCOUNT: Final = "000000000000"
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"}
"""LocalStack takes a 12-digit access key id as the account, and any secret."""
NO_FILES: Final = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
"""For the environment of a program that makes clients itself: it finds no settings of the person who runs it."""

Keys = Callable[[], Mapping[str, str]]
"""Gets the keys of a role's session, in the form of the credentials endpoint of ECS: `AccessKeyId`, `Expiration`."""

_FILES: Final = {"config_file": os.devnull, "credentials_file": os.devnull}
_CONFIG: Final = Config(
    # Not None, which would be the environment's.
    proxies={},
    s3={"addressing_style": "path"},
    max_pool_connections=32,
    read_timeout=20,
    retries={"total_max_attempts": 3},
)


@cache
def _models() -> botocore.loaders.Loader:
    """The models of the services, which take longer to read than a client takes to make."""
    return botocore.loaders.create_loader()


def local_session(account: str = ACCOUNT, region: str = REGION) -> boto3.Session:
    """A session for one account and region of the local cloud; its clients want the `endpoint_url`."""
    return boto3.Session(
        account, CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=region, botocore_session=_settled_session()
    )


def role_session(keys: Keys) -> boto3.Session:
    """The same for a role. `keys` is asked at once, and again when its answer is about to expire."""
    core = _settled_session()
    core.register_component("credential_provider", CredentialResolver([_RoleProvider(keys)]))
    return boto3.Session(region_name=REGION, botocore_session=core)


class _RoleProvider(CredentialProvider):
    METHOD = "the control plane's keys"

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys

    def load(self) -> RefreshableCredentials:
        return RefreshableCredentials.create_from_metadata(self._metadata(), self._metadata, self.METHOD)

    def _metadata(self) -> dict[str, str]:
        keys = self._keys()
        return {
            "access_key": keys["AccessKeyId"],
            "secret_key": keys["SecretAccessKey"],
            "token": keys["Token"],
            "expiry_time": keys["Expiration"],
        }


def _settled_session() -> botocore.session.Session:
    """A session that nothing of a person's settings reaches."""
    core = botocore.session.Session(
        session_vars={
            name: (None, None, _FILES.get(name, default), conversion)
            for name, (_, _, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
        }
    )
    core.register_component("data_loader", _models())
    core.set_default_client_config(_CONFIG)
    return core
