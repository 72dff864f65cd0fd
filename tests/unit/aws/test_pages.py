"""What the pages say of the models and of the faults is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from sim.aws import sqs
from sim.aws.errors import COMMON_ERRORS, SERVICE_ERRORS, error_of
from sim.aws.model import Freedom
from sim.faults.plan import Fault
from sim.world.mutants import MUTANTS
from tests.conformance.departures import DEPARTURES

DOCS = Path(__file__).resolve().parents[3] / "docs"
AWS = "https://docs.aws.amazon.com/"


def table(page: str, head: str) -> list[list[str]]:
    """The rows of the table with this first heading."""
    text = (DOCS / page).read_text().partition(f"\n| {head} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in text.splitlines()[2:]]


def test_every_freedom_of_the_model_is_documented_with_a_page_that_the_model_cites() -> None:
    rows = table("world.md", "freedom of SQS")
    assert [name for name, _, _ in rows] == [f"`{freedom}`" for freedom in Freedom]
    source = Path(sqs.__file__).read_text()
    for _, page, effect in rows:
        cited = re.fullmatch(rf"\[([\w-]+)\]\({AWS}\S+/\1\.html\)", page)
        assert cited is not None
        assert cited[1] in source
        assert effect


def test_every_departure_of_an_emulator_is_documented() -> None:
    rows = [
        (what, tuple(name for name, cell in (("LocalStack", local), ("moto", moto)) if cell), page)
        for what, local, moto, page in table("world.md", "departure")
    ]
    links = [(each.what, each.emulators, f"[{Path(each.page).stem}]({AWS}{each.page})") for each in DEPARTURES]
    assert rows == links


def test_every_planted_bug_is_documented_with_its_verdicts() -> None:
    rows = table("world.md", "planted bug")
    assert [name for name, *_ in rows] == [mutant.name for mutant in MUTANTS]
    for (_, verdicts, *_), mutant in zip(rows, MUTANTS, strict=True):
        assert set(verdicts.split(", ")) <= mutant.verdicts


def test_every_fault_is_documented_with_what_the_world_does() -> None:
    rows = table("faults.md", "fault")
    assert {name for name, *_ in rows} == {f"`{fault}`" for fault in Fault}
    assert all(world for *_, world in rows)


def test_every_error_of_the_table_is_in_the_page_of_faults() -> None:
    rows = {service: errors for service, *errors in table("faults.md", "service")}
    assert {f"`{service}`" for service, _ in SERVICE_ERRORS} < set(rows)
    for service, errors in rows.items():
        expected = [error_of(service.strip("`"), fault) for fault in COMMON_ERRORS]
        assert errors == [f"{error.status} `{error.code}`" for error in expected]
