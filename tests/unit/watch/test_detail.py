"""What the page shows of the settings of a task."""

from __future__ import annotations

import pytest

from sim.watch.detail import HIDDEN, environment, is_secret


@pytest.mark.parametrize(
    "name", ["TOKEN", "API_TOKEN", "AWS_SECRET_ACCESS_KEY", "db_password", "SECRETS", "PRIVATE_KEY", "TOKEN_OLD"]
)
def test_the_value_of_what_is_named_like_a_secret_is_hidden(name: str) -> None:
    assert is_secret(name)
    assert environment({"environment": [{"name": name, "value": "hunter2"}]}) == {name: HIDDEN}


@pytest.mark.parametrize("name", ["TOKEN_PARAMETER", "TOKEN_CACHE_SECONDS", "SECRET_ARN", "QUEUE_URL", "TOKENIZER"])
def test_the_name_of_a_secret_is_none(name: str) -> None:
    assert not is_secret(name)


def test_a_container_without_variables() -> None:
    assert environment({}) == {}
