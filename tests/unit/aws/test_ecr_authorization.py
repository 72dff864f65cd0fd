"""The tokens of ECR: who has one is known until it expires, and nobody else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.aws.ecr_authorization import NotAuthorized, PrivateRegistry, RegistryAccess, TokenExpired, issue, registry_of

REGISTRY = PrivateRegistry("000000000001", "eu-central-1")
TOKEN = issue(REGISTRY, 1000, "secret")


def test_a_token_is_good_until_it_expires() -> None:
    assert registry_of(f"Basic {TOKEN}", 999.9, "secret") == REGISTRY
    assert registry_of(f"basic {TOKEN}", 0, "secret") == REGISTRY
    with pytest.raises(TokenExpired):
        registry_of(f"Basic {TOKEN}", 1000, "secret")


def test_a_token_of_another_secret_is_refused() -> None:
    with pytest.raises(NotAuthorized):
        registry_of(f"Basic {TOKEN}", 0, "other")


@pytest.mark.parametrize("claims", ["000000000002.eu-central-1.1000", "000000000001.eu-central-1.9999", ""])
def test_nobody_can_write_another_account_or_a_later_end_into_a_token(claims: str) -> None:
    signature = base64.b64decode(TOKEN).decode().rpartition(".")[2]
    forged = base64.b64encode(f"AWS:{claims}.{signature}".encode()).decode()
    with pytest.raises(NotAuthorized):
        registry_of(f"Basic {forged}", 0, "secret")


@given(st.text())
def test_whatever_else_a_client_sends_is_refused(header: str) -> None:
    with pytest.raises(NotAuthorized):
        registry_of(header, 0, "secret")


@given(st.binary())
def test_whatever_else_a_client_sends_as_a_login_is_refused(login: bytes) -> None:
    with pytest.raises(NotAuthorized):
        registry_of(f"Basic {base64.b64encode(login).decode()}", 0, "secret")


def test_the_secret_is_handed_on_and_never_shown() -> None:
    access = RegistryAccess("127.0.0.1:5000", "hidden")
    assert RegistryAccess.of(access.environment()) == access
    assert RegistryAccess.of({}) is None
    assert "hidden" not in repr(access)
