"""Rules for every Terraform root and module, and for the settings that they share with the services."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.terraform_code import TERRAFORM, folders, is_module, outputs, variables
from checks.terraform_readme import renewed
from services.api.settings import Settings as ApiSettings
from services.pipeline.settings import ServiceSettings
from services.worker.settings import Settings as WorkerSettings
from sim.terraform.configuration import blocks

FOLDERS = folders(TERRAFORM)
ROOTS = [folder for folder in FOLDERS if not is_module(folder)]
STAND_IN = TERRAFORM.parent / "sim/terraform/modules/vpc"


def named(folder: Path) -> str:
    return folder.relative_to(TERRAFORM).as_posix()


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_every_variable_is_typed_described_and_validated(folder: Path) -> None:
    careless = [
        each.name
        for each in variables(folder)
        if not (each.type and each.description and (each.validated or each.type == "bool"))
    ]
    assert careless == []
    assert [each.name for each in outputs(folder) if not each.description] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_every_root_and_module_has_tests(folder: Path) -> None:
    assert list(folder.glob("tests/*.tftest.hcl"))


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_no_account_or_region_is_hard_coded(folder: Path) -> None:
    code = "\n".join(file.read_text() for file in folder.glob("*.tf"))
    assert re.findall(r"\b\d{12}\b|\b[a-z]{2}-[a-z]+-\d\b|\bprofile *=", code) == []


@pytest.mark.parametrize("root", ROOTS, ids=named)
def test_the_key_of_a_state_is_the_name_of_its_root(root: Path) -> None:
    backend = next(file for file in (root / "versions.tf", root / "backend.tf") if "backend" in file.read_text())
    assert f'key          = "{named(root)}/terraform.tfstate"' in backend.read_text()
    assert "use_lockfile = true" in backend.read_text()


@pytest.mark.parametrize(("service", "settings"), [("api", ApiSettings), ("worker", WorkerSettings)])
def test_a_task_definition_sets_the_variables_that_its_service_reads(
    service: str, settings: type[ServiceSettings]
) -> None:
    main = (TERRAFORM / "services" / service / "main.tf").read_text()
    defined = set(re.findall(r"^    ([A-Z_]+) +=", main, flags=re.MULTILINE))
    reads = {name.upper(): field for name, field in settings.model_fields.items()}
    assert defined <= set(reads)
    assert {name for name, field in reads.items() if field.is_required()} <= defined


def test_the_stand_in_has_exactly_the_variables_that_the_network_root_sets() -> None:
    (module,) = (body for labels, body in blocks(TERRAFORM / "network/main.tf", "module") if labels == ("vpc",))
    given = module.keys() - {"source", "version"}
    assert {each.name for each in variables(STAND_IN)} == given


def test_a_readme_keeps_its_handwritten_part_and_has_a_row_for_each_variable(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# mine\n\nBy hand.\n")
    (tmp_path / "variables.tf").write_text(
        'variable "size" {\n  description = "This | that."\n  type        = number\n  default     = 3\n}\n'
    )
    (tmp_path / "outputs.tf").write_text('output "url" {\n  description = "Where."\n  value       = 1\n}\n')
    page = renewed(tmp_path)
    assert page.startswith("# mine\n\nBy hand.\n")
    assert "| `size` | `number` | `3` | This \\| that. |" in page
    assert "| `url` | Where. |" in page
    (tmp_path / "README.md").write_text(page)
    assert renewed(tmp_path) == page
