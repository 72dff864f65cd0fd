"""The tokens of ECR: who has one is known until it expires, and nobody else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.aws.ecr_authorization import (
    Login,
    NotAuthorized,
    PrivateRegistry,
    RegistryAccess,
    TokenExpired,
    issue,
    login_of,
)

LOGIN = Login(PrivateRegistry("000000000001", "eu-central-1"), "LSIA1")
TOKEN = issue(LOGIN, 1000, "secret")


def test_a_token_is_good_until_it_expires() -> None:
    assert login_of(f"Basic {TOKEN}", 999.9, "secret") == LOGIN
    assert login_of(f"basic {TOKEN}", 0, "secret") == LOGIN
    with pytest.raises(TokenExpired):
        login_of(f"Basic {TOKEN}", 1000, "secret")


def test_a_token_of_another_secret_is_refused() -> None:
    with pytest.raises(NotAuthorized):
        login_of(f"Basic {TOKEN}", 0, "other")


@pytest.mark.parametrize(
    "claims",
    [
        "000000000002.eu-central-1.1000.LSIA1",
        "000000000001.eu-central-1.9999.LSIA1",
        "000000000001.eu-central-1.1000.000000000001",
        "",
    ],
)
def test_nobody_can_write_another_account_a_later_end_or_another_key_into_a_token(claims: str) -> None:
    signature = base64.b64decode(TOKEN).decode().rpartition(".")[2]
    forged = base64.b64encode(f"AWS:{claims}.{signature}".encode()).decode()
    with pytest.raises(NotAuthorized):
        login_of(f"Basic {forged}", 0, "secret")


@given(st.text())
def test_whatever_else_a_client_sends_is_refused(header: str) -> None:
    with pytest.raises(NotAuthorized):
        login_of(header, 0, "secret")


@given(st.binary())
def test_whatever_else_a_client_sends_as_a_login_is_refused(login: bytes) -> None:
    with pytest.raises(NotAuthorized):
        login_of(f"Basic {base64.b64encode(login).decode()}", 0, "secret")


def test_the_secret_is_handed_on_and_never_shown() -> None:
    access = RegistryAccess("127.0.0.1:5000", "hidden")
    assert RegistryAccess.of(access.environment()) == access
    assert RegistryAccess.of({}) is None
    assert "hidden" not in repr(access)
