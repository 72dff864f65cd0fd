"""The one switch between a machine that reaches an image registry and one that does not.

Everything else names its images by what is chosen here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

LOCALSTACK_VERSION = "4.13.1"
"""The last release that runs on Python 3.11 and starts without an account."""


@dataclass(frozen=True)
class BaseImages:
    """The image that the services are built on, and the one that LocalStack runs from."""

    python: str
    localstack: str

    def environment(self) -> dict[str, str]:
        """As the environment variables that say the same to a Dockerfile, to compose, and to `choose`."""
        return {"BASE_IMAGE": self.python, "LOCALSTACK_IMAGE": self.localstack}


OFFICIAL = BaseImages(
    "python:3.11.16-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84",
    f"localstack/localstack:{LOCALSTACK_VERSION}",
)
OFFLINE = BaseImages("offline/python:3.11", f"offline/localstack:{LOCALSTACK_VERSION}")
"""Stand-ins with the same commands on the same paths, built by `sim.images.offline`."""


def choose(environ: Mapping[str, str], obtainable: Callable[[str], bool]) -> BaseImages:
    """What the environment names; for the rest the official images if they can be had, else the offline ones."""
    named = BaseImages(environ.get("BASE_IMAGE", ""), environ.get("LOCALSTACK_IMAGE", ""))
    if named.python and named.localstack:
        return named
    default = OFFICIAL if obtainable(OFFICIAL.python) else OFFLINE
    return BaseImages(named.python or default.python, named.localstack or default.localstack)
