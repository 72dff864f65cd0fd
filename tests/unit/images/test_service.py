"""What the services' Dockerfiles are told, and that the two are one recipe."""

from __future__ import annotations

from pathlib import Path

from sim.images.service import Revision, arguments

SERVICES = Path(__file__).resolve().parents[3] / "services"


def test_everything_known_is_told() -> None:
    told = arguments("1.2.3", "python:3", "https://git.example/us/mail", Revision("0123abc-dirty", 1_700_000_000))
    assert told == {
        "BASE_IMAGE": "python:3",
        "VERSION": "1.2.3",
        "SOURCE": "https://git.example/us/mail",
        "REVISION": "0123abc-dirty",
    }


def test_what_is_not_known_is_left_to_the_dockerfile() -> None:
    assert arguments("1.2.3", "python:3", "", None) == {"BASE_IMAGE": "python:3", "VERSION": "1.2.3"}


def test_the_two_dockerfiles_differ_in_names_and_in_the_port_only() -> None:
    api = SERVICES.joinpath("api/Dockerfile").read_text().replace("EXPOSE 8080\n", "")
    worker = SERVICES.joinpath("worker/Dockerfile").read_text()
    assert api.replace("API", "worker").replace("api", "worker") == worker
