"""The images that all others are built on: the official ones, unless settings name others.

Everything else names its images by what is chosen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dotenv import dotenv_values

from sim.images.checkout import ROOT, settings_file

LOCALSTACK_VERSION = "4.13.1"
"""The last release that runs on Python 3.11 and starts without an account."""


@dataclass(frozen=True)
class BaseImages:
    """The image that the services are built on, the one that LocalStack runs from, and the one of a registry."""

    python: str = "python:3.11.16-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84"
    localstack: str = f"localstack/localstack:{LOCALSTACK_VERSION}"
    registry: str = "registry:3.0.0"

    @classmethod
    def of(cls, settings: Mapping[str, str | None]) -> Self:
        """What the settings name, and the official one where a setting is empty or missing."""
        return cls(
            settings.get("BASE_IMAGE") or cls.python,
            settings.get("LOCALSTACK_IMAGE") or cls.localstack,
            settings.get("REGISTRY_IMAGE") or cls.registry,
        )

    def settings(self) -> dict[str, str]:
        """As a Dockerfile, compose and `of` take it."""
        return {"BASE_IMAGE": self.python, "LOCALSTACK_IMAGE": self.localstack, "REGISTRY_IMAGE": self.registry}


OFFICIAL = BaseImages()


def settings(environ: Mapping[str, str], checkout: Path = ROOT) -> dict[str, str | None]:
    """The settings as compose reads them: the file `.env` of the checkout, and before it the environment.

    https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/
    """
    return {**dotenv_values(settings_file(checkout)), **environ}
