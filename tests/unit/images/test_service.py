"""What the services' Dockerfiles are given, and that the two are one recipe."""

from __future__ import annotations

from pathlib import Path

from sim.images.service import Revision, arguments

SERVICES = Path(__file__).resolve().parents[3] / "services"


def test_the_dockerfile_is_given_all_that_is_known() -> None:
    given = arguments("1.2.3", "https://git.example/us/mail", Revision("0123abc-dirty", 1_700_000_000))
    assert given == {
        "VERSION": "1.2.3",
        "SOURCE": "https://git.example/us/mail",
        "REVISION": "0123abc-dirty",
        "SOURCE_DATE_EPOCH": "1700000000",
    }


def test_unknown_values_use_the_dockerfiles_defaults() -> None:
    assert arguments("1.2.3", "", None) == {"VERSION": "1.2.3"}


def test_the_two_dockerfiles_differ_in_names_and_in_the_port_only() -> None:
    api = SERVICES.joinpath("api/Dockerfile").read_text().replace("EXPOSE 8080\n", "")
    worker = SERVICES.joinpath("worker/Dockerfile").read_text()
    assert api.replace("API", "worker").replace("api", "worker") == worker
