"""Which program runs in place of an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.agent.local import Binding
from sim.agent.programs import BadPrograms, Program, filled, find, read


def a_program(name: str) -> Program:
    return Program((name,), Path("/"))


PROGRAMS = {name: a_program(name) for name in ("mail/api", "mail/api:2", "mail/api@sha256:3", "app")}


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("mail/api", "mail/api"),
        ("mail/api:1", "mail/api"),
        ("mail/api:2", "mail/api:2"),
        ("mail/api@sha256:3", "mail/api@sha256:3"),
        ("1.dkr.ecr.eu-central-1.amazonaws.com/mail/api@sha256:3", "mail/api@sha256:3"),
        ("localhost:5000/mail/api:1@sha256:9", "mail/api"),
        ("app:latest", "app"),
    ],
)
def test_an_image_has_its_own_program_or_its_repositorys(image: str, name: str) -> None:
    assert find(PROGRAMS, image) == a_program(name)


def test_an_unknown_image_has_none() -> None:
    assert find(PROGRAMS, "api") is None


def test_ports_and_the_folder_are_filled_in() -> None:
    bound = (Binding("tcp", 80, 8080, "127.0.0.1:5001"), Binding("tcp", 81, 8081, "127.0.0.1:5002"))
    assert filled("{port:81} {port:80} {directory}/x {other}", bound, Path("/own")) == "5002 5001 /own/x {other}"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "programs.json"
    for text in (None, "{", '{"app": {"command": []}}'):
        if text is not None:
            file.write_text(text)
        with pytest.raises(BadPrograms, match=r"programs\.json"):
            read(file)
