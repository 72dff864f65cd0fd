"""The one maker of AWS clients for the local cloud.

What a person has set up for AWS itself has no effect on it: profiles, `~/.aws`, `AWS_*` variables, proxies. A session
of boto3 would read all of them, so the session is made without the places where it looks.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Final

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

REGION: Final = "eu-central-1"
ACCOUNT: Final = "000000000000"
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"}
"""LocalStack takes a 12-digit access key id as the account, and any secret."""
NO_FILES: Final = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
"""For the environment of a program that makes clients itself: it finds no settings of the person who runs it."""

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
    core = botocore.session.Session(
        session_vars={
            name: (None, None, _FILES.get(name, default), conversion)
            for name, (_, _, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
        }
    )
    core.register_component("data_loader", _models())
    core.set_default_client_config(_CONFIG)
    return boto3.Session(account, CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=region, botocore_session=core)
