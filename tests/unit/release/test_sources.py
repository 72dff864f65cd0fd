"""Which services a change touches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from release.errors import NoBaseImage
from release.sources import SERVICES, base_image, sources, touched
from sim.images.base_image import OFFICIAL

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("path", "services"),
    [
        ("services/api/app.py", ("api",)),
        ("services/api/requirements.txt", ("api",)),
        ("services/worker/Dockerfile", ("worker",)),
        ("services/pipeline/message.py", ("api", "worker")),
        ("services/__init__.py", ("api", "worker")),
        ("services/api/version.txt", ()),
        ("services/worker/CHANGELOG.md", ()),
        ("sim/cli.py", ()),
        ("docs/services/api/page.md", ()),
        ("services/apiary/new.py", ()),
    ],
)
def test_a_file_touches_the_services_that_are_made_of_it(path: str, services: tuple[str, ...]) -> None:
    assert touched([path]) == services


def test_several_files_touch_each_service_once_in_order() -> None:
    assert touched(["services/worker/a.py", "README.md", "services/api/a.py", "services/api/b.py"]) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_a_release_is_built_on_what_the_kit_builds_on_where_nothing_else_is_set(service: str) -> None:
    assert base_image(ROOT, service) == OFFICIAL.python


def test_a_dockerfile_that_names_no_base_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoBaseImage, match=r"services/api/Dockerfile has no line `ARG BASE_IMAGE="):
        base_image(tmp_path, "api")


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_goes_into_the_image_is_among_its_sources(service: str) -> None:
    dockerfile = (ROOT / "services" / service / "Dockerfile").read_text()
    copied = [
        path for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE) for path in line.split()[:-1]
    ]
    assert copied
    for path in copied:
        inside = path if (ROOT / path).is_file() else f"{path}/"
        assert inside.startswith(sources(service)), f"{path} goes into the image of the {service}"
