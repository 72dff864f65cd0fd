"""Where a smoke test looks, and what it shows of a failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from release.errors import SmokeFailed
from release.smoke import place, smoke

URL = "https://emails.example.com"
API = {"url": URL, "image": "emails/api:1.0.0"}
WORKER = {"bucket": "emails-1", "prefix": "mail/", "image": "emails/worker:1.0.0"}
EVERYTHING = {"SIM_URL": URL, "SIM_BUCKET": "emails-1", "SIM_PREFIX": "mail/"}
API_ALONE = {"SIM_URL": URL, "SIM_BUCKET": "", "SIM_PREFIX": ""}


def never_deployed(outputs: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in outputs.items() if name != "image"}


@pytest.mark.parametrize(
    ("service", "api", "worker", "expected"),
    [
        ("api", API, WORKER, EVERYTHING),
        ("worker", API, WORKER, EVERYTHING),
        ("worker", API, never_deployed(WORKER), EVERYTHING),
        ("api", never_deployed(API), WORKER, EVERYTHING),
        ("api", never_deployed(API), never_deployed(WORKER), API_ALONE),
        ("api", API, {}, API_ALONE),
        ("worker", never_deployed(API), never_deployed(WORKER), None),
        ("worker", {}, never_deployed(WORKER), None),
    ],
)
def test_a_smoke_test_looks_at_what_runs(
    service: str, api: dict[str, str], worker: dict[str, str], expected: dict[str, Any] | None
) -> None:
    assert place(service, {"api": api, "worker": worker}) == expected


def test_the_command_is_given_the_place_and_the_token(tmp_path: Path) -> None:
    smoke("sh -c 'env > given'", tmp_path, EVERYTHING, lambda: "secret")()
    given = dict(line.split("=", 1) for line in (tmp_path / "given").read_text().splitlines() if "=" in line)
    assert {name: given[name] for name in (*EVERYTHING, "SIM_TOKEN")} == {**EVERYTHING, "SIM_TOKEN": "secret"}


def test_a_failure_does_not_show_the_token(tmp_path: Path) -> None:
    with pytest.raises(SmokeFailed) as failed:
        smoke("sh -c 'echo secret; exit 1'", tmp_path, EVERYTHING, lambda: "secret")()
    assert "***" in str(failed.value)
    assert "secret" not in str(failed.value)
