"""One LocalStack with the control plane for the tests of several rooms; each test has its own account.

A LocalStack that stands by costs the others CPU time, so the rooms share it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config

from sim.cloud.aws_client import local_session
from sim.cloud.local import LocalCloud
from sim.host.cleanup import Cleanup
from sim.images.base_image import BaseImages, settings

CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=60)
"""EC2 loads its images for the first call of each account, which takes long on a busy machine."""
_accounts = itertools.count(100000000001)

Client = Any
"""A boto3 client. The control plane's are not among the typed ones."""


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    """A LocalStack that is ready. Where there is Docker its ECR has a registry, which starts at its first use."""
    with Cleanup() as cleanup:
        cloud = LocalCloud(cleanup, (), print, BaseImages.of(settings(os.environ)).registry)
        try:
            cloud.open()
            cloud.prepare(visibility_timeout=30, max_receive_count=3)
            yield cloud
        finally:
            cloud.stop()


@pytest.fixture(scope="session")
def endpoint(cloud: LocalCloud) -> str:
    """The URL of LocalStack."""
    return cloud.endpoint


@pytest.fixture
def account() -> str:
    """One that no other test uses."""
    return str(next(_accounts))


@pytest.fixture
def aws(endpoint: str, account: str) -> Callable[[str], Client]:
    """Makes clients for the services of the test's own account."""
    session: Any = local_session(account)
    return lambda service: session.client(service, endpoint_url=endpoint, config=CONFIG)
