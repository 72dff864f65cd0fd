"""Clients of the local cloud know nothing of the AWS settings of the person who runs the kit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.cloud.aws_client import REGION, local_session

_CONFIG = """[default]
region = us-gov-west-1
use_fips_endpoint = true
use_dualstack_endpoint = true
ca_bundle = /nowhere/ca.pem
s3 =
  addressing_style = virtual
  use_accelerate_endpoint = true
"""
_VARIABLES = {
    "AWS_PROFILE": "work",
    "AWS_REGION": "us-east-2",
    "AWS_DEFAULT_REGION": "us-east-2",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    "AWS_ENDPOINT_URL": "http://192.0.2.1",
    "AWS_ENDPOINT_URL_SQS": "http://192.0.2.1",
    "AWS_MAX_ATTEMPTS": "many",
    "HTTP_PROXY": "http://192.0.2.1:3128",
    "HTTPS_PROXY": "http://192.0.2.1:3128",
    "ALL_PROXY": "http://192.0.2.1:3128",
}


@pytest.mark.parametrize("service", ["ecs", "s3", "sqs", "ssm"])
def test_a_person_s_settings_have_no_effect(service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(_CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in _VARIABLES.items():
        monkeypatch.setenv(name, value)
    session: Any = local_session("123456789012")
    meta = session.client(service, endpoint_url="http://127.0.0.1:4566").meta
    assert (meta.endpoint_url, meta.region_name) == ("http://127.0.0.1:4566", REGION)
    assert not meta.config.use_fips_endpoint
    assert not meta.config.use_dualstack_endpoint
    assert meta.config.s3 == {"addressing_style": "path"}
    assert meta.config.proxies == {}
    assert session.get_credentials().access_key == "123456789012"
